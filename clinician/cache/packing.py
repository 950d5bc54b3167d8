"""Ids and references in few bytes: a UUID is 16 bytes instead of 36, a reference 17 instead of 49.

Ids of other shapes are stored as text. Type numbers are part of the file format: only ever append.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_NAMES: Final = """
Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent
Basic Binary BodyStructure Bundle CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem
ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem Communication CommunicationRequest
CompartmentDefinition Composition ConceptMap Condition Consent Contract Coverage
CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device DeviceDefinition DeviceMetric
DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference
EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest EnrollmentResponse EpisodeOfCare
EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit FamilyMemberHistory Flag
Goal GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy Immunization
ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan Invoice Library
Linkage List Location Measure MeasureReport Media Medication MedicationAdministration MedicationDispense
MedicationKnowledge MedicationRequest MedicationStatement MedicinalProduct MedicinalProductAuthorization
MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged
MedicinalProductPharmaceutical MedicinalProductUndesirableEffect MessageDefinition MessageHeader
MolecularSequence NamingSystem NutritionOrder Observation ObservationDefinition OperationDefinition
OperationOutcome Organization OrganizationAffiliation Parameters Patient PaymentNotice
PaymentReconciliation Person PlanDefinition Practitioner PractitionerRole Procedure Provenance
Questionnaire QuestionnaireResponse RelatedPerson RequestGroup ResearchDefinition
ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment RiskEvidenceSynthesis Schedule
SearchParameter ServiceRequest Slot Specimen SpecimenDefinition StructureDefinition StructureMap
Subscription Substance SubstanceNucleicAcid SubstancePolymer SubstanceProtein
SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification SupplyDelivery SupplyRequest
Task TerminologyCapabilities TestReport TestScript ValueSet VerificationResult VisionPrescription
"""
TYPES: Final = tuple(_NAMES.split())
NUMBER: Final = {name: number for number, name in enumerate(TYPES, 1)}
PATIENT: Final = NUMBER["Patient"]

Packed = bytes | str


def number_of(type_: str) -> int:
    """The number of a FHIR R4 type; ValueError for anything else."""
    number = NUMBER.get(type_)
    if number is None:
        raise ValueError("not a FHIR R4 type")
    return number


def pack_id(id_: str) -> Packed:
    """16 bytes for a lower-case UUID, else the text itself."""
    if len(id_) == 36 and id_[8] == id_[13] == id_[18] == id_[23] == "-" and id_ == id_.lower():
        try:
            packed = bytes.fromhex(id_.replace("-", ""))
        except ValueError:
            return id_
        if len(packed) == 16:
            return packed
    return id_


def unpack_id(packed: Packed) -> str:
    """The id again."""
    if isinstance(packed, str):
        return packed
    text = packed.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def pack_ref(ref: str) -> Packed:
    """17 bytes for 'Type/<uuid>', else the text itself."""
    type_, _, id_ = ref.partition("/")
    number = NUMBER.get(type_)
    if number is not None:
        packed = pack_id(id_)
        if isinstance(packed, bytes):
            return bytes((number,)) + packed
    return ref


pack_known_id: Final = lru_cache(maxsize=4096)(pack_id)
"""As pack_id, remembered: for patients, whom thousands of rows name."""
pack_known_ref: Final = lru_cache(maxsize=4096)(pack_ref)
"""As pack_ref, remembered: for owners."""


def unpack_ref(packed: Packed) -> str:
    """The reference again."""
    if isinstance(packed, str):
        return packed
    return f"{TYPES[packed[0] - 1]}/{unpack_id(packed[1:])}"
