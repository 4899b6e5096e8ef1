/// Writes one document of the built-in corpus: a story, a dialogue, sums, a list, a report …
struct DocumentWriter {
  private var random: TextRandom

  init(seed: UInt64) { random = TextRandom(seed: seed) }

  mutating func document() -> String {
    switch random.number(0...9) {
    case 0...3: story()
    case 4: dialogue()
    case 5: sums()
    case 6: list()
    case 7: report()
    case 8: program()
    default: table()
    }
  }

  // MARK: Stories: names recur, things keep their colour and their place

  private mutating func story() -> String {
    let hero = random.pick(Lexicon.people)
    var friend = random.pick(Lexicon.people)
    while friend.name == hero.name { friend = random.pick(Lexicon.people) }
    let thing = random.pick(Lexicon.things)
    let colour = random.pick(Lexicon.colours)
    let place = random.pick(Lexicon.places)
    let town = random.pick(Lexicon.towns)
    let time = random.pick(Lexicon.times)
    var lines = [
      "One \(time) in \(town), \(hero.name) walked to the \(place).",
      "\(Lexicon.capitalised(hero.subject)) had \(Lexicon.withArticle(colour)) \(thing) with "
        + "\(hero.object), and \(hero.subject) was \(random.pick(Lexicon.feelings)).",
    ]
    if random.chance(60) { lines.append(animalSentence(place)) }
    for _ in 0..<random.number(1...3) { lines.append(deed(hero, colour, thing)) }
    lines.append("At the \(place) \(hero.subject) met \(friend.name).")
    lines.append(
      "\"Is that your \(thing)?\" asked \(friend.name). \"Yes,\" said \(hero.name), \"the "
        + "\(colour) \(thing) is mine.\"")
    if random.chance(50) {
      let gift = random.pick(Lexicon.food)
      lines.append(
        "\(friend.name) gave \(hero.object) \(Lexicon.withArticle(gift)), and they ate it "
          + "together.")
    }
    for _ in 0..<random.number(0...2) { lines.append(deed(friend, colour, thing)) }
    lines.append(
      "When it was time to go home, \(hero.name) took the \(colour) \(thing) and said goodbye to "
        + "\(friend.name).")
    lines.append(
      "That \(time == "night" ? "night" : "evening") \(hero.name) felt "
        + "\(random.pick(Lexicon.feelings)).")
    return lines.joined(separator: " ")
  }

  private mutating func animalSentence(_ place: String) -> String {
    let animal = random.pick(Lexicon.animals)
    let other = random.pick(Lexicon.animals)
    return random.chance(50)
      ? "Near the \(place) \(Lexicon.withArticle(random.pick(Lexicon.sizes))) \(animal) was "
        + "looking for \(Lexicon.withArticle(random.pick(Lexicon.food)))."
      : "\(Lexicon.capitalised(Lexicon.withArticle(animal))) and "
        + "\(Lexicon.withArticle(other)) were sitting by the \(place)."
  }

  private mutating func deed(
    _ person: Lexicon.Person, _ colour: String, _ thing: String
  ) -> String {
    let deed = random.pick(Lexicon.deeds)
    let adverb = random.pick(Lexicon.adverbs)
    let other = random.pick(Lexicon.things)
    switch random.number(0...3) {
    case 0: return "\(person.name) \(deed.past) the \(colour) \(thing) \(adverb)."
    case 1:
      return "Then \(person.subject) \(deed.past) \(person.possessive) \(other) \(adverb)."
    case 2:
      return "\(person.name) wanted to \(deed.base) the \(thing), but \(person.subject) "
        + "\(random.pick(Lexicon.deeds).past) \(person.possessive) \(other)."
    default:
      return "Because \(person.subject) was \(random.pick(Lexicon.feelings)), "
        + "\(person.subject) \(deed.past) the \(thing)."
    }
  }

  // MARK: Other kinds

  private mutating func dialogue() -> String {
    let first = random.pick(Lexicon.people).name
    var second = random.pick(Lexicon.people).name
    while second == first { second = random.pick(Lexicon.people).name }
    var lines: [String] = []
    for _ in 0..<random.number(2...4) {
      let place = random.pick(Lexicon.places)
      let thing = random.pick(Lexicon.things)
      let day = random.pick(Lexicon.days)
      switch random.number(0...2) {
      case 0:
        lines += [
          "\(first): Where is the \(thing)?", "\(second): The \(thing) is in the \(place).",
          "\(first): Thank you, I will look in the \(place).",
        ]
      case 1:
        lines += [
          "\(first): Will you come to the \(place) on \(day)?",
          "\(second): On \(day) I must \(random.pick(Lexicon.deeds).base) my \(thing).",
        ]
      default:
        let a = random.number(1...6)
        let b = random.number(1...6)
        lines += [
          "\(first): I have \(Lexicon.digits[a]) and you have \(Lexicon.digits[b]). How many are "
            + "there?", "\(second): Together we have \(Lexicon.digits[a + b]).",
        ]
      }
    }
    return lines.joined(separator: "\n")
  }

  private mutating func sums() -> String {
    var lines: [String] = []
    for _ in 0..<random.number(5...10) {
      let a = random.number(2...60)
      let b = random.number(2...39)
      switch random.number(0...2) {
      case 0: lines.append("\(a) + \(b) = \(a + b)")
      case 1: lines.append("\(a + b) - \(b) = \(a)")
      default: lines.append("\(a % 10 + 1) * \(b % 10 + 1) = \((a % 10 + 1) * (b % 10 + 1))")
      }
    }
    return lines.joined(separator: "\n")
  }

  private mutating func list() -> String {
    let owner = random.pick(Lexicon.people).name
    let place = random.pick(Lexicon.places)
    var lines = ["What \(owner) needs from the \(place):"]
    for number in 1...random.number(3...6) {
      let count = random.number(2...12)
      let noun = random.pick(random.chance(50) ? Lexicon.food : Lexicon.things)
      lines.append("\(number). \(Lexicon.digits[count]) \(Lexicon.plural(noun))")
    }
    return lines.joined(separator: "\n")
  }

  private mutating func report() -> String {
    let town = random.pick(Lexicon.towns)
    let low = random.number(-5...18)
    let high = low + random.number(3...11)
    let first = random.pick(Lexicon.weather)
    let day = random.number(0...6)
    return "Weather for \(town), \(Lexicon.days[day]), \(random.number(1...28)) "
      + "\(random.pick(Lexicon.months)): in the morning \(first), later "
      + "\(random.pick(Lexicon.weather)). The lowest temperature is \(low) degrees, the highest "
      + "\(high) degrees. On \(Lexicon.days[(day + 1) % 7]) expect \(first) again."
  }

  private mutating func program() -> String {
    let name = random.pick(Lexicon.variables)
    var other = random.pick(Lexicon.variables)
    while other == name { other = random.pick(Lexicon.variables) }
    let start = random.number(0...9)
    let step = random.number(1...9)
    return """
      let \(name) = \(start)
      let \(other) = \(name) + \(step)
      if \(other) > \(name) {
        print("\(other) is larger than \(name)")
      }
      // \(other) is \(start + step)
      """
  }

  private mutating func table() -> String {
    var lines = ["name | thing | count"]
    for _ in 0..<random.number(3...6) {
      lines.append(
        "\(random.pick(Lexicon.people).name) | \(random.pick(Lexicon.things)) | "
          + "\(random.number(1...99))")
    }
    return lines.joined(separator: "\n")
  }
}
