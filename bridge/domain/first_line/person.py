"""Tells whether words ask for a person, in any shipped language, whatever the customer's language is said to be."""

from __future__ import annotations

from bridge.domain.first_line.phrases import normalised, normalised_long

_PEOPLE = frozenset(
    normalised_long(
        "person people human agent operator representative advisor adviser somebody someone staff colleague "
        "persona humano humana agente operador operadora alguien asesor asesora "
        "mensch menschen mitarbeiter mitarbeiterin berater beraterin jemand jemanden jemandem "
        "personne humain humaine conseiller conseillere operateur quelqu "
        "شخص إنسان موظف موظفة وكيل بشري"
    )
)
_TALKING = frozenset(
    normalised_long(
        "talk speak chat connect transfer hablar hable paseme comuniqueme atienda "
        "sprechen reden verbinden parler discuter التحدث اتحدث أتكلم التكلم تحويلي الحديث"
    )
)
_AROUND = frozenset(
    normalised_long(
        "a an the real live please want to with i me need una un real por favor con quiero "
        "ein einen eine echten echter bitte mit ich will une reel vraie vrai svp je veux avec un أريد حقيقي مع من فضلك"
    )
)
_NOT = frozenset(normalised_long("not don no never nicht kein keinen nie pas jamais لا لن"))


def asks_for_a_person(text: str) -> bool:
    """Returns True for words such as 'agent', 'a real person, please' or 'can I talk to somebody'."""
    words = normalised(text)
    people = [word for word in words if word in _PEOPLE]
    if not people or any(word in _NOT for word in words):
        return False
    talks = any(word in _TALKING for word in words)
    return talks or all(word in _PEOPLE or word in _AROUND for word in words)
