/// The words of the built-in corpus.
enum Lexicon {
  struct Person {
    let name: String
    let subject: String
    let object: String
    let possessive: String
  }

  static let people: [Person] =
    ["Anna", "Mira", "Lena", "Ruth", "Clara", "Nora", "Ida", "Tess", "Vera", "Wilma"].map {
      Person(name: $0, subject: "she", object: "her", possessive: "her")
    }
    + ["Ben", "Carl", "David", "Emil", "Felix", "Hugo", "Jonas", "Karl", "Otto", "Paul"].map {
      Person(name: $0, subject: "he", object: "him", possessive: "his")
    }

  static let animals = [
    "dog", "cat", "horse", "goat", "crow", "hen", "duck", "snake", "mouse", "fox", "bear", "owl",
    "sheep", "frog", "hare",
  ]
  static let colours = [
    "red", "blue", "green", "grey", "white", "black", "brown", "yellow", "golden", "silver",
  ]
  static let sizes = ["small", "large", "tiny", "huge", "long", "short", "heavy", "light"]
  static let things = [
    "lamp", "box", "kettle", "basket", "letter", "coat", "key", "ladder", "bell", "map", "stone",
    "rope", "drum", "book", "cup", "chair", "table", "mirror", "clock", "wheel", "bottle",
    "blanket", "hammer", "candle", "bridge", "boat", "cart", "spoon", "shovel", "fence",
  ]
  static let food = [
    "apple", "pear", "plum", "loaf of bread", "cake", "carrot", "onion", "potato", "cheese",
    "bowl of soup", "jar of honey", "fish", "egg", "nut", "lemon",
  ]
  static let places = [
    "market", "river", "forest", "harbour", "mill", "garden", "school", "station", "hill",
    "village", "kitchen", "barn", "library", "bakery", "old tower", "lake", "field", "workshop",
  ]
  static let feelings = [
    "happy", "tired", "proud", "worried", "calm", "curious", "hungry", "surprised", "quiet",
    "angry", "glad", "lonely",
  ]
  static let weather = [
    "rain", "snow", "fog", "sunshine", "a cold wind", "a warm breeze", "thunder", "light hail",
    "clear sky", "drizzle",
  ]
  static let days = [
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
  ]
  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  static let times = ["morning", "afternoon", "evening", "night"]
  static let towns = [
    "Oldenham", "Brackwater", "Silverford", "Eastmoor", "Harrowgate Mill", "Linden", "Stonebrook",
    "Westering", "Ashby Vale", "Norwick",
  ]
  static let adverbs = [
    "slowly", "quickly", "carefully", "at once", "without a word", "with a smile", "again",
    "in silence", "for a while", "before noon",
  ]
  /// Present and past of what people do with a thing.
  static let deeds: [(base: String, past: String)] = [
    ("carry", "carried"), ("find", "found"), ("lose", "lost"), ("paint", "painted"),
    ("mend", "mended"), ("hide", "hid"), ("sell", "sold"), ("buy", "bought"),
    ("clean", "cleaned"), ("break", "broke"), ("lift", "lifted"), ("drop", "dropped"),
    ("borrow", "borrowed"), ("forget", "forgot"), ("draw", "drew"),
  ]
  static let variables = [
    "count", "total", "width", "height", "limit", "index", "size", "step", "price", "weight",
  ]
  static let digits = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
  ]

  /// The plural of a regular noun of these lists.
  static func plural(_ noun: String) -> String {
    switch noun {
    case "mouse": "mice"
    case "sheep", "fish": noun
    case "loaf of bread": "loaves of bread"
    case "bowl of soup": "bowls of soup"
    case "jar of honey": "jars of honey"
    default:
      noun.hasSuffix("x") || noun.hasSuffix("ch") || noun.hasSuffix("s")
        ? noun + "es"
        : noun.hasSuffix("y")
          ? noun.dropLast() + "ies"
          : noun == "potato" ? "potatoes" : noun + "s"
    }
  }

  /// The word with `a` or `an` before it.
  static func withArticle(_ word: String) -> String {
    ("aeiou".contains(word.first ?? "x") ? "an " : "a ") + word
  }

  /// The word with its first letter large.
  static func capitalised(_ word: String) -> String {
    word.prefix(1).uppercased() + word.dropFirst()
  }
}
