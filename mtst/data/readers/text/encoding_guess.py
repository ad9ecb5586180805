"""The most likely encoding of a text that is no Unicode: each candidate is judged by the letters that it gives.

A text in the right encoding has letters that one language uses, at the places where that language has them. In a wrong
one it has signs inside words, capitals after small letters, letters of two scripts in one word, or letters that no
language has together.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from mtst.data.readers.text.east_asian import EAST_ASIAN, asian_score

MAX_CHARACTERS = 20_000
MOST_COMMON = "cp1252"
NEAR_BEST = 0.08  # a score so much lower is an alternative
ALTERNATIVES = 4
RARE_LETTER = 0.9
UNKNOWN_LETTER = 0.35  # what a letter of a script counts that no language of the encoding is known for
CAPITALS = 0.1  # what a text in capitals loses: a wrong encoding often gives nothing else
LONE = 0.4  # what a text loses whose only letters beyond ASCII are words of their own
BAD_PLACE = 1.5  # what a sign or a capital inside a word takes away, in letters


@dataclass(frozen=True)
class Language:
    """A language: its name, its letters beyond ASCII, and the encodings in which it is written, the usual one first.

    The letters before the blank are frequent, those after it rare.
    """

    name: str
    letters: str
    encodings: tuple[str, ...]


WESTERN = ("cp1252", "mac_roman", "cp850")
CENTRAL = ("cp1250", "iso8859_2", "cp852", "mac_latin2")
BALTIC = ("cp1257", "iso8859_13", "cp775")
TURKIC = ("cp1254", "mac_turkish", "cp857")
CYRILLIC = ("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic")
LANGUAGES = (
    Language("French", "éèàêçùôîâû œëïüÿæ", WESTERN),
    Language("German", "äöüß é", WESTERN),
    Language("Spanish", "áéíóúñ ü¿¡", WESTERN),
    Language("Portuguese", "ãçáéíóêõúâà ôü", WESTERN),
    Language("Italian", "èàòùìé îó", WESTERN),
    Language("Dutch", "ëéïü èöáóê", WESTERN),
    Language("Swedish", "äåö éà", WESTERN),
    Language("Danish or Norwegian", "øåæ éòôàü", WESTERN),
    Language("Finnish", "äö åéü", WESTERN),
    Language("Icelandic", "áðéíóúýþæö ", WESTERN),
    Language("Catalan", "àèéíòóúç ïü", WESTERN),
    Language("several of Western Europe", " éèàáâäåãæçêëíìîïñóòôöõøùúûüßœÿ", WESTERN),
    Language("Turkish", "ışğüöçİ âî", TURKIC),
    Language("Polish", "ąćęłńóśźż ", CENTRAL),
    Language("Czech", "áčďéěíňóřšťúůýž ", CENTRAL),
    Language("Slovak", "áäčďéíľňóôšťúýž ŕĺ", CENTRAL),
    Language("Hungarian", "áéíóöőúüű ", CENTRAL),
    Language("Romanian", "ăâîşţ șț", CENTRAL),
    Language("Croatian or Slovene", "čćđšž ", CENTRAL),
    Language("Lithuanian", "ąčęėįšųūž ", BALTIC),
    Language("Latvian", "āčēģīķļņšūž ō", BALTIC),
    Language("Estonian", "äõöü šž", (*BALTIC, "cp1252")),
    Language("Vietnamese", "ăâđêôơưáàéèíóòúý\u0300\u0301\u0303\u0309\u0323 ", ("cp1258",)),
    Language("Russian", "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфё ъ", CYRILLIC),
    Language("Ukrainian", "оаинтіврлсекмдупязьбгйхчжцщшюєїґ ф", ("cp1251", "koi8_u", "cp1125", "mac_cyrillic")),
    Language("Bulgarian", "аоиетнрсвлкдпмзъгубчщцжяхшйюфь ", CYRILLIC),
    Language("Greek", "αοιετσνηυρπκμλςάίόέήώδγχθφβξζωύ ψϊ", ("cp1253", "iso8859_7", "cp737", "mac_greek")),
    Language("Hebrew", "יוהלאתמרבשנדעקחפטגסזצכםןךףץ ", ("cp1255", "iso8859_8", "cp862")),
    Language("Arabic", "المينروتبدعفسهةكقأحجشصطخذغضزإثىئءؤآظ ،؟", ("cp1256", "iso8859_6", "cp864")),
    Language("Persian", "اینردهمتوسبشکزفگعخلقجحپصطچآغئضذثظژ ،؟", ("cp1256",)),
    Language("Thai", "านรอกเงมยลวดทสตะปบคหแจพชขใไโผถซศธณภ ูุืิีั้่็์ำๆฟฉญฐษฮ", ("cp874",)),
)
NAMES = {
    "cp1252": "Western European (Windows)", "mac_roman": "Western European (Macintosh)",
    "cp850": "Western European (DOS)", "cp1250": "Central European (Windows)", "iso8859_2": "Central European (ISO)",
    "cp852": "Central European (DOS)", "mac_latin2": "Central European (Macintosh)", "cp1251": "Cyrillic (Windows)",
    "koi8_r": "Cyrillic (KOI8-R)", "koi8_u": "Cyrillic (KOI8-U)", "cp866": "Cyrillic (DOS)", "cp1125": "Cyrillic (DOS)",
    "iso8859_5": "Cyrillic (ISO)", "mac_cyrillic": "Cyrillic (Macintosh)", "cp1253": "Greek (Windows)",
    "iso8859_7": "Greek (ISO)", "cp737": "Greek (DOS)", "mac_greek": "Greek (Macintosh)",
    "cp1254": "Turkish (Windows, ISO 8859-9)", "mac_turkish": "Turkish (Macintosh)", "cp857": "Turkish (DOS)",
    "cp1255": "Hebrew (Windows)", "iso8859_8": "Hebrew (ISO)", "cp862": "Hebrew (DOS)", "cp1256": "Arabic (Windows)",
    "iso8859_6": "Arabic (ISO)", "cp864": "Arabic (DOS)", "cp1257": "Baltic (Windows)", "iso8859_13": "Baltic (ISO)",
    "cp775": "Baltic (DOS)", "cp1258": "Vietnamese (Windows)", "cp874": "Thai (Windows)",
    "gb18030": "Chinese (simplified)", "big5": "Chinese (traditional)", "cp932": "Japanese (Shift JIS)",
    "euc_jp": "Japanese (EUC)", "cp949": "Korean",
}  # fmt: skip
WORDS = re.compile(r"[^\W\d_]+")
INSIDE = re.compile(r"(?<=[^\W\d_])[^\w\s\x00-\x7f’–—…·\u0300-\u0323](?=[^\W\d_])")  # a sign between two letters
QUOTES = frozenset("“”‘’„«»–—…")
SIGNS = frozenset("‚‹›•€£¥°·™®©§¿¡´ªº½¼¾×÷±²³")
TOP_LETTERS = 8  # of a large alphabet; they make up at least so much of a text:
TOP_SHARE = 0.45
LARGE_ALPHABET = 20


@dataclass(frozen=True)
class Guess:
    """An encoding, the language whose letters it gives, and how well they fit: at most 1."""

    encoding: str
    language: str
    score: float

    @property
    def name(self) -> str:
        return NAMES[self.encoding]


def guess_encodings(sample: bytes) -> tuple[Guess, ...]:
    """Return the most likely encoding of a text beyond ASCII, and those that are about as likely, the best first.

    Encodings that give the same characters count as one: the one that comes first in `LANGUAGES`.
    """
    guesses = [_judge(sample, encoding) for encoding in NAMES]
    ranked = sorted((guess for guess in guesses if guess), key=lambda guess: -guess.score)
    if not ranked:
        return (Guess("cp1252", "", 0.0),)
    seen: set[str] = set()
    different = [guess for guess in ranked if not _seen(sample, guess.encoding, seen)]
    near = [guess for guess in different if guess.score >= ranked[0].score - NEAR_BEST]
    return tuple(near[: 1 + ALTERNATIVES])


def _seen(sample: bytes, encoding: str, seen: set[str]) -> bool:
    text = sample.decode(encoding, "replace")
    known = text in seen
    seen.add(text)
    return known


def _judge(sample: bytes, encoding: str) -> Guess | None:
    """Return how well a text in this encoding reads, or None if it cannot be decoded."""
    text = sample.decode(encoding, "replace")[:MAX_CHARACTERS]
    lost = text.count("\ufffd")
    beyond = [character for character in text if character > "\x7f" and character != "\ufffd"]
    if not beyond or lost > max(1, len(beyond) // 50):
        return None
    asian = next((each for each in EAST_ASIAN if each[2] == encoding), None)
    if asian:
        return Guess(encoding, asian[0], asian_score(beyond, asian[0], asian[1]))
    bad = lost + _misplaced(text)
    counts = Counter(character.lower() if len(character.lower()) == 1 else character for character in beyond)
    languages = [language for language in LANGUAGES if encoding in language.encodings]
    best, language = max((_fit(counts, each), each.name) for each in languages)
    capitals = (sum(map(str.isupper, beyond)) - _initials(text)) / len(beyond)
    lost_score = CAPITALS * capitals + BAD_PLACE * bad / len(beyond) + _unusual(encoding) + LONE * _are_lone(text)
    return Guess(encoding, language, best - lost_score)


def _initials(text: str) -> int:
    """Count the capitals beyond ASCII that begin a word of small letters."""
    return sum(word[0] > "\x7f" and word[0].isupper() and word[1:].islower() for word in WORDS.findall(text))


def _are_lone(text: str) -> bool:
    """Return whether letters beyond ASCII stand alone wherever they occur, as signs do: in place of £, € or bullets."""
    letters = {character for character in text if character > "\x7f" and unicodedata.category(character)[0] in "LM"}
    return bool(letters) and not any(len(word) > 1 and not letters.isdisjoint(word) for word in WORDS.findall(text))


def _unusual(encoding: str) -> float:
    """Return what an encoding of old systems has to make up for: of two that read alike the usual one is taken."""
    rank = min(language.encodings.index(encoding) for language in LANGUAGES if encoding in language.encodings)
    return 0.02 * rank + (0.0 if encoding == MOST_COMMON else 0.02)


def _fit(counts: Counter[str], language: Language) -> float:
    """Return the share of the signs beyond ASCII that the language uses, with rare letters and signs counting less."""
    frequent, _, rare = language.letters.partition(" ")
    total = counts.total()
    score = 0.0
    for character, count in counts.items():
        if character in frequent:
            score += count
        elif character in rare:
            score += RARE_LETTER * count
        elif character in QUOTES:
            score += count
        elif character in SIGNS:
            score += 0.7 * count
        elif character.isalpha():
            score += UNKNOWN_LETTER * count * (unicodedata.name(character, "").split()[0] in _scripts(frequent))
    letters = sum(count for character, count in counts.items() if character.isalpha())
    if not letters:
        return score / total
    weight = min(1.0, letters / 40)  # a few words need not hold the frequent letters
    if len(frequent) >= LARGE_ALPHABET:  # any text fits a large alphabet by chance
        top = sum(counts[letter] for letter in frequent[:TOP_LETTERS]) / letters
        return score / total - 0.5 * weight * max(0.0, 1 - top / TOP_SHARE)
    expected = min(6, len(frequent)) or 1
    present = sum(letter in counts for letter in frequent[:expected])
    return score / total - 0.15 * weight * (1 - present / expected)


def _scripts(letters: str) -> frozenset[str]:
    return frozenset(unicodedata.name(letter, " ").split()[0] for letter in letters)


def _misplaced(text: str) -> float:
    """Count what no text has: signs inside words, capitals after small letters, words of two scripts, controls."""
    bad = float(len(INSIDE.findall(text)))
    bad += sum("\x7f" <= character < "\xa0" for character in text)
    for word in WORDS.findall(text):
        if word.isascii():
            continue
        bad += sum(a.islower() and b.isupper() and not (a.isascii() and b.isascii()) for a, b in pairwise(word))
        if len(word) > 2 and word[0].islower() and word[1:].isupper():
            bad += len(word)
        scripts = {unicodedata.name(character, " ").split()[0] for character in word if character.isalpha()}
        bad += 2 * (len(scripts - {"MODIFIER", "FEMININE", "MASCULINE", "MICRO"}) > 1)
    return bad
