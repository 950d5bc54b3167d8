"""Long work: suggestions by a solver. Called in a job thread; ortools is loaded at first use."""

from __future__ import annotations

from modules.homecare.jobs.check import Fault, plan_faults
from modules.homecare.jobs.routes import build_routes
from modules.homecare.jobs.stopping import NoProgress, Progress
from modules.homecare.jobs.substitute import suggest_redistribution

__all__ = ["Fault", "NoProgress", "Progress", "build_routes", "plan_faults", "suggest_redistribution"]
