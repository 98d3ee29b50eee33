// Words of the journeys, English and German.
import { defineTexts } from '../../i18n.ts'
import { de } from './texts.de.ts'
import { en } from './texts.en.ts'

export const useJourneyTexts = defineTexts('journeys', { en, de })
