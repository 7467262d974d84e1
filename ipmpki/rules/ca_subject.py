"""Rules about the fields of the authority's subject beside their length."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from ipmpki.diagnostics.problem import Severity
from ipmpki.diagnostics.wording import counted, quote
from ipmpki.rules.registry import Finding, fleet_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ipmpki.declaration.fleet import Fleet
    from ipmpki.diagnostics.problem import Place

_FIELDS = ("common_name", "organization", "organizational_unit", "state", "locality")

_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
_COUNTRIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2, as in iso3166.tab of the IANA time zone database."""
_USER_ASSIGNED = re.compile("AA|Q[M-Z]|X[A-Z]|ZZ")
"""Left by ISO 3166-1, section 8.1.3, to whoever needs a code: XK is in wide use for Kosovo."""
_MEANT = {"UK": "GB", "EL": "GR"}
"""Codes of other lists, such as domains and the European Union's, that have one meaning."""

_LATER = "; once it is built, another name takes a new authority"
"""Why no problem here has a fix that is made unasked."""

_JOINERS = "\u200c\u200d"
"""They are invisible, and part of how Persian and the languages of India are written."""


def _written(fleet: Fleet) -> Iterator[tuple[str, str, Place]]:
    """The authority's fields of free text: each one's name, its text and its place."""
    for field in _FIELDS:
        text: str | None = getattr(fleet.authority.subject, field)
        if text and fleet.was_read(fleet.signing_table, field):
            yield field, text, fleet.place.at(fleet.signing_table, field)


@fleet_rule(Severity.WARNING, cites="RFC 5280, appendix A.1 (X520countryName); X.520; ISO 3166-1")
def country_unknown(fleet: Fleet) -> Iterator[Finding]:
    """The country of the authority is no country of ISO 3166.

    ## What it finds

    Two capital letters that ISO 3166-1 gives to no country, such as "UK", which is "GB" there. The codes that
    the standard leaves to its users, such as "XK", are not reported.

    ## Who is hurt

    Whoever reads the certificate and looks for its country; and programs and auditors that hold it against
    the standard. It cannot be changed without a new authority.

    ## Example

    ```toml
    [ca]
    common_name = "Acme Print CA"
    country = "UK"
    ```

    ## Instead

    ```toml
    [ca]
    common_name = "Acme Print CA"
    country = "GB"
    ```
    """
    country, table = fleet.authority.subject.country, fleet.signing_table
    if country is None or not fleet.was_read(table, "country"):
        return
    if country in _COUNTRIES or _USER_ASSIGNED.fullmatch(country):
        return
    meant, place = _MEANT.get(country), fleet.place.at(table, "country")
    yield Finding(
        f"ISO 3166 knows no country {quote(country)}",
        (f"write '{meant}'" if meant else "write its two letters of ISO 3166, such as 'US' or 'DE'") + _LATER,
        place,
    )


@fleet_rule(Severity.WARNING, cites="RFC 5280, section 7.1; RFC 4518, section 2.6.1 (spaces)")
def subject_field_padded(fleet: Fleet) -> Iterator[Finding]:
    """A field of the authority's subject begins or ends with a blank.

    ## What it finds

    Blanks before or behind the text of common_name, organization, organizational_unit, state or locality.

    ## Who is hurt

    Whoever looks for the authority by its name: some programs pass over such blanks, as the standard says,
    and others compare every octet and do not find it.

    ## Example

    ```toml
    [ca]
    common_name = "Acme Print CA "
    ```

    ## Instead

    ```toml
    [ca]
    common_name = "Acme Print CA"
    ```
    """
    for field, text, place in _written(fleet):
        if text != text.strip():
            plain = text.strip()
            yield Finding(
                f"{field} {'begins' if text[0].isspace() else 'ends'} with a blank",
                f"write {quote(plain)}{_LATER}",
                place,
            )


@fleet_rule(Severity.WARNING, cites="RFC 5280, section 7.1; RFC 4518, sections 2.2 and 2.4")
def invisible_character(fleet: Fleet) -> Iterator[Finding]:
    """A field of the authority's subject holds a character that is not what it looks like.

    ## What it finds

    A space that is none, such as the no-break space of a word processor, or a character that only your own
    font has. What is drawn as nothing, such as a soft hyphen or a mark that turns the direction of text, is
    an error of its own.

    ## Who is hurt

    Whoever types the authority's name, or compares it by eye: it looks like another name and is not equal
    to it. Such characters are also how one name is made to pass for another.

    ## Example

    ```toml
    [ca]
    common_name = "Acme\\u00a0Print CA"
    ```

    ## Instead

    ```toml
    [ca]
    common_name = "Acme Print CA"
    ```
    """
    for field, text, place in _written(fleet):
        inner = text.strip()
        odd = [letter for letter in inner if not letter.isprintable() and letter not in _JOINERS]
        if not odd:
            continue
        plain = "".join(
            " " if letter in odd and unicodedata.category(letter) == "Zs" else letter
            for letter in inner
            if letter not in odd or unicodedata.category(letter) == "Zs"
        )
        names = ", ".join(dict.fromkeys(f"U+{ord(letter):04X}" for letter in odd))
        yield Finding(
            f"{field} holds {counted(len(odd), 'character')} that nobody sees: {names}",
            f"write {quote(plain)}{_LATER}" if plain else "write a name",
            place,
        )
