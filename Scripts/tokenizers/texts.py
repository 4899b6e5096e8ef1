"""Texts that are hard to cut: every Unicode class, white space, emoji, contractions, code."""

import random
import unicodedata

SENTENCES = [
    "The quick brown fox can't jump; they'll say it's what WE'VE done, I'd think. You're sure?",
    "Les élèves français naïfs dégustaient des œufs à l'île d'Oléron, n'est-ce pas ?",
    "Größe, Maß und Übermut tun selten gut; 3,14 ist nicht 22/7.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία.",
    "いろはにほへと　ちりぬるを。東京２０２４年、第三回。",
    "天地玄黃，宇宙洪荒。日月盈昃，辰宿列張。",
    "키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.",
    "अनेक ऋषि एक ही सत्य को भिन्न नामों से पुकारते हैं। १२३४",
    "صِف خَلقَ خَودٍ كَمِثلِ الشَمسِ إِذ بَزَغَت ٣٤٥",
    "דג סקרן שט בים מאוכזב ולפתע מצא חברה",
    "เป็นมนุษย์สุดประเสริฐเลิศคุณค่า ๑๒๓",
    "👩‍👩‍👧‍👦 family 👍🏽 ok 🇩🇪🇫🇷 flags ❤️‍🔥 1️⃣ keycap 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "static inline int f(const char *s)\n{\n\treturn s ? strlen(s) + 0x1F : -EINVAL; /* why? */\n}\n",
    "def f(x):\n    return [y ** 2 for y in x if y != 0x10]\r\n\r\n    # done\r\n",
    "Ⅷ ½ ² ₃ ① 𝟗 ൴ 〇 are numbers; ª º ʰ ǅ are letters; _ ‿ $ € + ~ are not.",
    "e\u0301 a\u030a\u0323 \u0915\u094d\u0937 n\u0303 combining marks; \u200bzero\u200dwidth\ufeff.",
    "1234567890 12 345 6789 1,234,567.89 0b1010 1e-9 v1.2.3",
]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'LL", "'Re", "'vE", "'ſ", "’s", "''", "'"]
SPACES = [
    " ", "  ", "   ", "\t", "\t\t\t", "\n", "\n\n", "\r\n", "\r", "\v", "\f", "\x85", "\xa0", "\u1680",
    "\u2003", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", " \n", "\n ", " \t\n  ", "\x1c", "\u200b",
    "\u180e", "\ufeff", " " * 17, "\n" * 9, " \r\n \r\n  ",
]
SPECIALS = ["<|endoftext|>", "<|pad|>", "<|endoftext", "|>", "<|mask|>", "[WORD]", "café", "<|"]


def characters_of_every_class():
    """Some characters of every general category."""
    kinds = {}
    for value in range(0x110000):
        if 0xD800 <= value < 0xE000:
            continue
        kinds.setdefault(unicodedata.category(chr(value)), []).append(chr(value))
    return kinds


KINDS = characters_of_every_class()
KIND_NAMES = sorted(KINDS)


def character(rng):
    """Any character at all, every class as likely."""
    return rng.choice(KINDS[rng.choice(KIND_NAMES)])


def fragment(rng):
    """A few characters of one sort."""
    pick = rng.random()
    if pick < 0.18:
        words = rng.choice(SENTENCES).split(" ")
        start = rng.randrange(len(words))
        return " ".join(words[start : start + rng.randint(1, 4)])
    if pick < 0.32:
        return rng.choice(SPACES)
    if pick < 0.40:
        return rng.choice(CONTRACTIONS)
    if pick < 0.46:
        return rng.choice(SPECIALS)
    if pick < 0.56:
        return str(rng.randrange(10 ** rng.randint(1, 12)))
    if pick < 0.70:
        return "".join(character(rng) for _ in range(rng.randint(1, 6)))
    if pick < 0.78:
        return "".join(rng.choice("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~") for _ in range(rng.randint(1, 8)))
    if pick < 0.80:
        return rng.choice("aé中🙂. \n\t0") * rng.randint(40, 400)
    if pick < 0.90:
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ") for _ in range(rng.randint(1, 14)))
    return rng.choice(SENTENCES)[: rng.randint(1, 80)]


def text(rng):
    """A text of up to some forty fragments."""
    return "".join(fragment(rng) for _ in range(rng.randint(1, rng.choice([3, 10, 40]))))


def texts(seed, count):
    rng = random.Random(seed)
    return [text(rng) for _ in range(count)]
