import i18next from 'i18next'
import { expect, test } from 'vitest'
import { effectInWords } from './effects.ts'

const german = (key: string, values: Record<string, string | number> = {}) =>
  i18next.t(key, { ns: 'effects', lng: 'de', number: values.count, ...values })

test.each([
  [
    'journey cart gets version 6f833962b467a1ec; 465 people inside stay on the version they entered with',
    'Die Journey „cart“ bekommt eine neue Version. 465 Personen darin bleiben bei der, in die sie eintraten.',
  ],
  [
    'journey cart gets version 6f833962b467a1ec; 1 person inside stays on the version they entered with',
    'Die Journey „cart“ bekommt eine neue Version. 1 Person darin bleibt bei der, in die sie eintrat.',
  ],
  [
    'journey cart gets version 6f833962b467a1ec; nobody is inside',
    'Die Journey „cart“ bekommt eine neue Version. Niemand ist darin.',
  ],
  ['template hello is removed', 'Die Vorlage „hello“ wird entfernt.'],
  ['source shop gets another write key', 'source shop gets another write key'],
])('what publishing means is said in German: %s', (said, expected) => {
  expect(effectInWords(said, german)).toBe(expected)
})
