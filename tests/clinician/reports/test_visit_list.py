"""Paper: what must stand on every page, and that nothing secret is on the wrong one."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import pypdf
import pytest

from clinician import texts
from clinician.reports.page import Stamp
from clinician.reports.visit_list import KeyLine, VisitBlock, VisitGroup, key_sheet, visit_list
from tests.modules.homecare.memory import NOW

STAMP = Stamp(
    title="Dagsliste · tirsdag 3. mars 2026",
    workplace="Nord",
    printed_at=NOW,
    printed_by="Silje Nygård",
    as_of=NOW - timedelta(minutes=2),
    is_complete=True,
)
BLOCK = VisitBlock(
    time="08:00–08:20",
    name="Åse Ødegård-Sæther",
    born="12.03.1942",
    address="Elvegata 3, 7600 Levanger",
    phone="90 00 00 00",
    access="Nøkkelboks",
    tasks=("Insulin", "Sårstell <venstre fot> & tær"),
    warnings=("Allergi: Penicillin",),
    marks="fast tid",
    colleagues="Kari Lunde",
    travel="5 min",
    comment="Ring på\nto ganger",
)


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def groups(visits: int = 12) -> tuple[VisitGroup, ...]:
    return tuple(
        VisitGroup(
            name, "Nord 1 · 07:15–15:00", tuple(replace(BLOCK, name=f"{name} {n}") for n in range(visits))
        )
        for name in ("Silje", "Kari")
    )


def test_that_every_page_says_what_when_where_and_which() -> None:
    found = pages(visit_list(STAMP, "tirsdag 3. mars 2026", groups()))
    assert len(found) >= 4
    for number, text in enumerate(found, 1):
        assert f"Side {number} av {len(found)}" in text
        assert "Nord" in text
        assert STAMP.title in text
        assert "Data per 03.03.2026 07:08" in text
        assert "Skrevet ut 03.03.2026 07:10 av Silje Nygård" in text
        assert "ØVELSE" not in text


def test_that_a_visit_is_whole_on_one_page_with_all_it_needs() -> None:
    found = pages(visit_list(STAMP, "i dag", groups()))
    for text in found:
        assert text.count("født 12.03.1942") == text.count("Insulin") == text.count("Utført kl.")
    for wanted in (
        "Silje 0",
        "Elvegata 3, 7600 Levanger",
        "Tlf. 90 00 00 00",
        "Adkomst: Nøkkelboks",
        "Sårstell <venstre fot> & tær",
        "! Allergi: Penicillin",
        "fast tid",
        "Sammen: Kari Lunde",
        "reise 5 min",
        "to ganger",
    ):
        assert wanted in found[0]


def test_that_each_person_can_be_handed_their_own_pages() -> None:
    found = pages(visit_list(STAMP, "i dag", groups(1)))
    assert ["Silje 0" in text for text in found] == [True, False]
    assert ["Kari 0" in text for text in found] == [False, True]


def test_that_practice_is_on_every_page() -> None:
    practice = replace(STAMP, is_practice=True)
    for pdf in (visit_list(practice, "i dag", groups()), key_sheet(practice, "i dag", ())):
        assert all("ØVELSE – ingenting her er virkelig" in text for text in pages(pdf))


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(minutes=15), "Data per 03.03.2026 06:55"),
        (timedelta(minutes=16), "16 minutter gamle ved utskrift"),
        (timedelta(minutes=90), "1 time gamle ved utskrift"),
        (timedelta(days=3), "3 dager gamle ved utskrift"),
    ],
)
def test_that_old_data_say_so(age: timedelta, words: str) -> None:
    stamp = replace(STAMP, as_of=NOW - age)
    assert stamp.is_old is (age > timedelta(minutes=15))
    assert all(words in text for text in pages(visit_list(stamp, "i dag", groups())))


def test_that_data_that_are_not_whole_say_so() -> None:
    assert "ikke fullstendige" in pages(visit_list(replace(STAMP, is_complete=False), "i dag", ()))[0]
    assert "aldri hatt alle dataene" in pages(visit_list(replace(STAMP, as_of=None), "i dag", ()))[0]


def test_that_what_is_done_here_and_not_sent_is_marked() -> None:
    done = replace(BLOCK, status="utført 08:00–08:20", is_waiting=True)
    text = pages(visit_list(replace(STAMP, waiting=1), "i dag", (VisitGroup("Silje", "", (done,)),)))[0]
    assert "utført 08:00–08:20 (ikke sendt ennå)" in text
    assert "1 registrering her er ikke sendt ennå" in text


def test_that_an_empty_day_says_so() -> None:
    assert "Ingen besøk denne dagen." in pages(visit_list(STAMP, "i dag", ()))[0]
    assert "Ingen besøk denne dagen." in pages(visit_list(STAMP, "i dag", (VisitGroup("Kari", "", ()),)))[0]


def test_that_the_key_sheet_is_confidential_on_every_page() -> None:
    lines = tuple(KeyLine(f"Bruker {n}", "12.03.1942", "Elvegata 3", f"kode {n:04d}") for n in range(40))
    found = pages(key_sheet(replace(STAMP, confidential="FORTROLIG"), "i dag", lines))
    assert len(found) > 1
    assert all("FORTROLIG" in text for text in found)
    assert "kode 0039" in found[-1]
    both = replace(STAMP, confidential="FORTROLIG", is_practice=True)
    assert "FORTROLIG" in pages(key_sheet(both, "i dag", ()))[0]
    assert "Ingen nøkkelopplysninger" in pages(key_sheet(STAMP, "i dag", ()))[0]


def test_that_the_file_has_title_language_and_its_own_fonts() -> None:
    reader = pypdf.PdfReader(io.BytesIO(visit_list(STAMP, "i dag", groups(1))))
    assert reader.metadata is not None
    assert reader.metadata.title == STAMP.title
    assert reader.trailer["/Root"]["/Lang"] == "nb-NO"
    fonts = {
        str(font.get_object()["/BaseFont"])
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    used = {name for name in fonts if "SourceSans" in name}
    assert len(used) >= 2
    assert not [name for name in fonts - used if "Symbol" in name or "Zapf" in name]


def test_that_paper_speaks_nynorsk() -> None:
    try:
        texts.set_language("nn")
        pdf = visit_list(replace(STAMP, is_practice=True), "i dag", groups(1))
    finally:
        texts.set_language("nb")
    text = pages(pdf)[0]
    assert "ØVING – ingenting her er verkeleg" in text
    assert "Skrive ut" in text
    assert pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/Lang"] == "nn-NO"


def test_that_a_very_long_visit_does_not_stop_the_list() -> None:
    endless = replace(BLOCK, tasks=tuple(f"Oppgave {n}" for n in range(30)), comment="x " * 500)
    found = pages(visit_list(STAMP, "i dag", (VisitGroup("Silje", "", (endless, BLOCK)),)))
    assert "Oppgave 29" in "".join(found)
