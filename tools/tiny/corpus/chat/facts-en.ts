import { factSheet } from './fact-sheet.js'

export const ENGLISH_FACTS = [
  factSheet(
    `
        the sky|blue
        grass|green
        snow|white
        a banana|yellow
        blood|red
        coal|black
        milk|white
        an elephant|gray
        a panda|black and white
        chocolate|brown
        a ripe strawberry|red
      `,
    `
        (What color is|Which color is|Tell me what color is|Do you know what color is) {a}?
      `,
    '{a} is {b}.',
  ),
  factSheet(
    `
        Monday|Tuesday
        Tuesday|Wednesday
        Wednesday|Thursday
        Thursday|Friday
        Friday|Saturday
        Saturday|Sunday
        Sunday|Monday
      `,
    `
        (What|Which) day (comes after|follows|is after) {a}?
        If today is {a}, (what|which) day is tomorrow?
      `,
    'The day after {a} is {b}.',
  ),
  factSheet(
    `
        January|February
        February|March
        March|April
        April|May
        May|June
        June|July
        July|August
        August|September
        September|October
        October|November
        November|December
        December|January
      `,
    `
        (What|Which) month (comes after|follows|is after) {a}?
      `,
    'The month after {a} is {b}.',
  ),
  factSheet(
    `
        China|Beijing
        Japan|Tokyo
        France|Paris
        England|London
        Germany|Berlin
        Italy|Rome
        Russia|Moscow
        South Korea|Seoul
        Thailand|Bangkok
        Spain|Madrid
        Egypt|Cairo
        Canada|Ottawa
        India|New Delhi
      `,
    `
        (What is|What's|Tell me|Do you know|Which city is) the capital of {a}?
        (What is|What's) {a}'s capital( city|)?
      `,
    'The capital of {a} is {b}.',
  ),
  factSheet(
    `
        cat|four
        dog|four
        bird|two
        chicken|two
        spider|eight
        bee|six
        horse|four
        rabbit|four
        cow|four
        duck|two
      `,
    `
        How many legs does a {a} have?
        (Do you know|Tell me) how many legs a {a} has(?|.)
      `,
    'A {a} has {b} legs.',
  ),
  factSheet(
    `
        big|small
        tall|short
        cold|hot
        fast|slow
        new|old
        far|near
        light|heavy
        early|late
        left|right
        up|down
        black|white
        good|bad
        open|closed
        cheap|expensive
        happy|sad
        clean|dirty
        young|old
        long|short
      `,
    `
        (What is|What's|Tell me|Do you know) the opposite of (“{a}”|{a})?
      `,
    'The opposite of “{a}” is “{b}”.',
  ),
  factSheet(
    `
        a year|twelve months
        a week|seven days
        a day|twenty-four hours
        an hour|sixty minutes
        a minute|sixty seconds
      `,
    `
        How long is {a}?
        (What is|Tell me) the length of {a}(?|.)
      `,
    'It is {b} long.',
  ),
  factSheet(
    `
        doctor|helps sick people
        teacher|teaches students
        cook|makes meals
        driver|drives a car or a bus
        farmer|grows food
        painter|paints pictures
        singer|sings songs
        writer|writes books
        nurse|looks after sick people
        police officer|keeps people safe
      `,
    `
        What does a {a} do( all day| at work|)?
        (Tell me|Do you know) what a {a} does(.|?)
      `,
    'A {a} {b}.',
  ),
  factSheet(
    `
        spring|summer
        summer|autumn
        autumn|winter
        winter|spring
      `,
    `
        (What|Which) season (comes after|follows|is after) {a}?
      `,
    'After {a} comes {b}.',
  ),
  factSheet(
    `
        cats|fish and meat
        rabbits|grass and carrots
        pandas|bamboo
        cows|grass
        monkeys|fruit
        tigers|meat
        horses|grass
        birds|insects and seeds
      `,
    `
        What do {a} (eat|like to eat)?
        (Tell me|Do you know) what {a} eat(.|?)
      `,
    '{a} eat {b}.',
  ),
]
