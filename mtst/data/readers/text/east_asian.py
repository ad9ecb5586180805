"""How likely a text is Chinese, Japanese or Korean: what share of its characters are common in that language."""

from collections.abc import Sequence

# The signs of East Asian texts. Their encodings take almost any pair of bytes, so what counts is how common a sign is.
CHINESE = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方"
    "多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明"
    "性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位"
    "次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感"
    "建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色"
    "路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运影片演员错表喜欢送货快服差非常房间餐厅"
)
TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方"
    "多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明"
    "性知全三又關點正業外將兩高間由問很最重並物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位"
    "次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感"
    "電影片演員錯表喜歡送貨快服差非常房間餐廳"
)
EAST_ASIAN: tuple[tuple[str, frozenset[str], str], ...] = (
    ("Chinese (simplified)", frozenset(CHINESE), "gb18030"),
    ("Chinese (traditional)", frozenset(TRADITIONAL), "big5"),
    ("Japanese", frozenset(), "cp932"),
    ("Japanese", frozenset(), "euc_jp"),
    ("Korean", frozenset(), "cp949"),
)


def _is_common_syllable(character: str) -> bool:
    """Return whether it is one of the 2,350 syllables of the older standard; by chance most are others."""
    return "\uac00" <= character < "\ud7a4" and len(character.encode("euc_kr", "ignore")) == 2


def asian_score(characters: Sequence[str], language: str, common: frozenset[str]) -> float:
    """Return the share of the characters that are common in an East Asian text."""
    total = len(characters)
    kana = sum("\u3040" <= character < "\u3100" for character in characters)
    half = sum("\uff61" <= character < "\uffa0" for character in characters)
    hangul = sum(_is_common_syllable(character) for character in characters)
    ideographs = sum("\u4e00" <= character < "\ua000" for character in characters)
    marks = sum(
        character in "，。！？、；：“”‘’（）《》「」『』・…" or "\uff00" <= character < "\uff61"
        for character in characters
    )
    letters = max(1, total - marks)
    if language == "Japanese":
        return min(1.0, 2.5 * kana / letters) * (kana + ideographs + marks) / total - half / total
    if language == "Korean":
        return min(1.0, hangul / letters * 1.02) * (hangul + marks + ideographs) / total
    known = sum(character in common for character in characters)
    return min(1.0, 1.8 * known / max(1, ideographs)) * (ideographs + marks) / total
