import pytest

from mtst.data.readers.text.encoding_guess import guess_encodings

TEXTS = {
    "Bu telefonu çok seviyorum, ekranı şahane. Kargo hızlı geldi, teşekkürler.": (
        "cp1254", "iso8859_9", "mac_turkish", "cp857",
    ),
    "อาหารอร่อยและพนักงานใจดี ห้องมืดและสกปรก": ("cp874", "tis_620"),
    "J'adore ce téléphone, l'écran est génial. Repas délicieux, à bientôt": ("cp1252", "mac_roman", "cp850", "cp437"),
    "Über die Straße läuft ein großer Hund; das Mädchen grüßt schön.": ("cp1252", "mac_roman", "cp850"),
    "El niño comió mañana ¿qué pasó con la canción? Está bien, señor": ("cp1252", "mac_roman", "cp850"),
    "Não gostei, a bateria não dura. Informação péssima, são três horas": ("cp1252", "mac_roman", "cp850"),
    "Jag älskar den här telefonen, skärmen är jättebra och på kvällen": ("cp1252", "mac_roman", "cp850"),
    "Ég elska þennan síma, skjárinn er frábær og það er gott að búa hér": ("cp1252",),
    "Dziękuję bardzo, świetny film. Żółw był powolny, a książka nudna.": ("cp1250", "iso8859_2", "cp852"),
    "Příliš žluťoučký kůň úpěl ďábelské ódy. Děkuji": ("cp1250", "iso8859_2", "cp852"),
    "Nagyon szeretem ezt a telefont, gyönyörű a kijelzője. Őszintén szólva jó": ("cp1250", "iso8859_2", "cp852"),
    "Labai patiko šis telefonas, ačiū už greitą pristatymą. Žąsis mandagūs": ("cp1257", "iso8859_13"),
    "Man ļoti patīk šis tālrunis, ekrāns ir lielisks. Paldies par ātru piegādi": ("cp1257", "cp775"),
    "Фильм был очень хороший, и актёры играли прекрасно. Мне понравилось всё.": (
        "cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic",
    ),
    "Мені дуже сподобався цей фільм, актори грали чудово. Їжа була смачною": ("cp1251", "koi8_u"),
    "Μου αρέσει πολύ αυτό το τηλέφωνο, η οθόνη είναι υπέροχη. Ευχαριστώ": ("cp1253", "iso8859_7", "cp737"),
    "אני מאוד אוהב את הטלפון הזה, המסך נהדר. האוכל היה טעים": ("cp1255", "iso8859_8", "cp862"),
    "أحب هذا الهاتف كثيرا، الشاشة رائعة. كان الطعام لذيذا، شكرا": ("cp1256", "iso8859_6"),
    "这部电影很好看。演员的表演也不错。快递很慢，包装破了。": ("gb18030", "gbk"),
    "這部電影很好看。演員的表演也不錯。送貨很慢，包裝破了。": ("big5",),
    "映画はとても良かったです。電車が遅れた理由はわかりません。": ("cp932", "euc_jp"),
    "이 영화는 정말 재미있어요. 배우들의 연기도 좋았습니다.": ("cp949", "euc_kr"),
    "café": ("cp1252",),
    "“it’s” – c’est": ("cp1252",),
    "It costs £5 or €6": ("cp1252",),
    "Warm: 20°C\n• milk\n½ pint": ("cp1252",),
}  # fmt: skip


@pytest.mark.parametrize(("text", "encoding"), [(text, each) for text, all_of in TEXTS.items() for each in all_of])
@pytest.mark.parametrize("times", [1, 30])
def test_the_best_guess_gives_the_text(text, encoding, times):
    raw = "\n".join([text] * times).encode(encoding)
    guesses = guess_encodings(raw)
    assert raw.decode(guesses[0].encoding) == "\n".join([text] * times)
    assert len({raw.decode(guess.encoding, "replace") for guess in guesses}) == len(guesses)


def test_a_capital_at_the_beginning_of_a_word_is_no_sign_of_a_wrong_encoding():
    assert guess_encodings("Élan is fine".encode("cp1252"))[0].encoding == "cp1252"


@pytest.mark.parametrize("sample", [b"", b"\xff\xfe\xfd", bytes(range(128, 256)) * 3])
def test_any_bytes_have_a_guess(sample):
    assert guess_encodings(sample)[0].name
