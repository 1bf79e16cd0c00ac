"""Takes a sentence apart: normalised words, and which of them say something of what is asked."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_ARABIC = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ة": "ه", "ـ": None, "ؤ": "و", "ئ": "ي"})
LONGEST = 500  # characters of a question that are looked at; beyond that nobody asks one thing

# Words of grammar and courtesy. They are compared without accents, as everything is.
_EMPTY = {
    "en": "a an the i me my mine we us our you your it its he she they them his her their this that these those is are "
    "am was were be been do does did have has had will would can could should shall may might must of to in on at for "
    "from with by and or but if so as please hello hi hey thanks thank want need like get got know tell there here "
    "some any just also s m re ve ll t d im id okay ok excuse sorry about",
    "es": "el la los las un una unos unas yo mi mis me nos nuestro su sus tu tus usted ustedes ellos ellas se lo le "
    "les es son soy eres somos esta estan estoy hay ha he han ser estar tener tengo tienen tiene puedo puede pueden "
    "de del a al en por para con y o u pero si que este esta esto ese esa por favor hola gracias quiero quisiera "
    "necesito saber buenos buenas dias sobre hacen hago",
    "de": "der die das den dem des ein eine einen einem einer ich mir mich mein meine meinen meinem meiner wir uns "
    "unser sie ihr ihre ihren ihrem du dein es er ist sind bin war waren sein haben habe hat kann konnen konnte mochte "
    "will muss soll wird werden von zu zum zur in im an am auf fur mit bei und oder aber wenn dass bitte hallo danke "
    "brauche wissen gibt guten tag man ich's denn mal uber",
    "fr": "le la les l un une des du de d je j moi mon ma mes nous notre nos vous votre vos il elle ils elles on ce c "
    "cet cette ces est sont suis etes etre ai as a avez avons ont avoir peux peut puis pouvez pourrais voudrais veux "
    "dois faut en dans sur au aux pour avec par et ou mais si que qu s se y t bonjour salut merci svp plait besoin "
    "savoir fait faire",
    "ar": "في من على الى عن مع هل ان انا انت نحن هو هي هم هذا هذه ذلك تلك او و ما لي لكم عندكم لديكم كان يكون قد "
    "من فضلك شكرا مرحبا السلام عليكم اريد احتاج اود ان اعرف يمكن يمكنني استطيع",
}
# What kind of answer is asked for: it helps to tell two answers apart and never carries one alone.
_ASKING = {
    "en": "when where how what who which why much many long",
    "es": "cuando donde como cual cuales quien cuanto cuanta cuantos cuantas",
    "de": "wann wo wie was wer welche welcher welches warum viel viele lange",
    "fr": "quand ou comment quel quelle quels quelles qui combien pourquoi quoi",
    "ar": "متي اين كيف كم لماذا",
}


def normalised(text: str) -> list[str]:
    """Returns the words of a text in lower case, without accents, in one form each."""
    folded = unicodedata.normalize("NFKD", text[:LONGEST].casefold())
    plain = "".join(character for character in folded if not unicodedata.combining(character))
    return _WORD.findall(plain.translate(_ARABIC))


@lru_cache(maxsize=16)
def _vocabulary(language: str) -> tuple[frozenset[str], frozenset[str]]:
    return (
        frozenset(normalised_long(_EMPTY.get(language, ""))),
        frozenset(normalised_long(_ASKING.get(language, ""))),
    )


def normalised_long(text: str) -> list[str]:
    """Returns the words of a text of any length, as `normalised` does."""
    return [word for part in text.split() for word in normalised(part)]


def base(language: str) -> str:
    """The language without its region: es for es-MX."""
    return language.replace("_", "-").partition("-")[0].lower()


def telling(text: str, language: str) -> list[str]:
    """Returns the words that say something of what is asked, in order, each once."""
    empty, _ = _vocabulary(base(language))
    return [word for word in dict.fromkeys(normalised(text)) if word not in empty]


def same_phrase(text: str, language: str) -> str:
    """Returns what two phrases have in common when they ask the same; empty where nothing is asked."""
    words = telling(text, language)
    asked = any(not only_asks(word, language) for word in words)
    return " ".join(sorted(words)) if asked else ""


def only_asks(word: str, language: str) -> bool:
    """True for a word that asks without saying about what, such as 'when'."""
    return word in _vocabulary(base(language))[1]


def near(one: str, other: str) -> bool:
    """True where one letter more, less, other, or swapped with its neighbour makes `one` of `other`."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        return True
    a, b = one[start:], other[start:]
    swapped = len(a) > 1 and len(b) > 1 and a[0] == b[1] and a[1] == b[0] and a[2:] == b[2:]
    return swapped or a[1:] == b[1:] or a[1:] == b or a == b[1:]
