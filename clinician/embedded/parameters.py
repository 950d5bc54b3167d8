"""The search parameters this record answers: the official R4 ones of the types it indexes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from clinician.fhir.reference import Raw

try:
    from clinician.fhir import search_params
except ImportError:  # pragma: no cover - until the language room has it
    search_params = None  # type: ignore[assignment]

_TYPES: Final = """
    Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse
    AuditEvent Basic Binary BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan
    CareTeam CatalogEntry ChargeItem ChargeItemDefinition Claim ClaimResponse ClinicalImpression
    CodeSystem Communication CommunicationRequest CompartmentDefinition Composition ConceptMap Condition
    Consent Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue
    Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DiagnosticReport
    DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest
    EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario
    ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse
    HealthcareService ImagingStudy Immunization ImmunizationEvaluation ImmunizationRecommendation
    ImplementationGuide InsurancePlan Invoice Library Linkage List Location Measure MeasureReport Media
    Medication MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest
    MedicationStatement MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication
    MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction
    MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
    MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence NamingSystem
    NutritionOrder Observation ObservationDefinition OperationDefinition OperationOutcome Organization
    OrganizationAffiliation Patient PaymentNotice PaymentReconciliation Person PlanDefinition
    Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson
    RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject
    RiskAssessment RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen
    SpecimenDefinition StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid
    SubstancePolymer SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial
    SubstanceSpecification SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport
    TestScript ValueSet VerificationResult VisionPrescription
"""
RESOURCE_TYPES: Final = frozenset(_TYPES.split())
"""Every resource type of FHIR R4 that can be stored (source: the official Patient compartment)."""

KINDS: Final = frozenset({"token", "string", "date", "quantity", "number", "reference", "uri"})
_BUILT_IN: Final = frozenset({"_id", "_lastUpdated", "_content", "_text", "_query"})


@lru_cache(maxsize=256)
def indexed(type_: str) -> Mapping[str, Any]:
    """Code → parameter of a type, those kept in index tables."""
    if search_params is None:
        return {}
    return {
        code: param
        for code, param in search_params.for_type(type_).items()
        if param.type in KINDS and code not in _BUILT_IN
    }


def values(raw: Raw, param: Any) -> Iterable[Any]:
    """The elements of `raw` a parameter looks at."""
    found: Iterable[Any] = search_params.values(raw, param)
    return found


def all_indexed() -> list[tuple[str, str]]:
    """(type, code) of everything kept in index tables."""
    return [(type_, code) for type_ in sorted(RESOURCE_TYPES) for code in indexed(type_)]
