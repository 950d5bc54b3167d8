"""What home care does. Every name here is a Command (clinician.commands.act)."""

from __future__ import annotations

from modules.homecare.commands.follow_ups import CloseFollowUp, HandOverFollowUp, ReadReply
from modules.homecare.commands.measurements import Measured, RecordMeasurements
from modules.homecare.commands.notes import WithdrawNote, WriteNote
from modules.homecare.commands.plan import AssignVisits, CancelVisit, MoveVisit, NotifyStaff, RecordAbsence
from modules.homecare.commands.tasks import CompleteTask, ExceptTask
from modules.homecare.commands.visits import CompleteVisit, ExceptVisit, RecordNotHome, StartVisit

__all__ = [
    "AssignVisits",
    "CancelVisit",
    "CloseFollowUp",
    "CompleteTask",
    "CompleteVisit",
    "ExceptTask",
    "ExceptVisit",
    "HandOverFollowUp",
    "Measured",
    "MoveVisit",
    "NotifyStaff",
    "ReadReply",
    "RecordAbsence",
    "RecordMeasurements",
    "RecordNotHome",
    "StartVisit",
    "WithdrawNote",
    "WriteNote",
]
