// What journeys and audiences are called. Events and decisions name them by id, people by title.
import { useMemo } from 'react'
import type { AudienceSummary, JourneySummary } from '../api/definitions.ts'
import { useGet } from '../api/hooks.ts'
import type { Page } from '../api/types.ts'

/** As many as the server gives at once; whoever has more sees the ids of the rest. */
const ALL = { limit: 500 }
const KEEP = { fresh: 60_000 }

export interface Titles {
  journey: (name: string) => string
  audience: (name: string) => string
}

export function useTitles(): Titles {
  const journeys = useGet<Page<JourneySummary>>('/journeys', ALL, KEEP).data
  const audiences = useGet<Page<AudienceSummary>>('/audiences', ALL, KEEP).data
  return useMemo(() => {
    const ofJourney = new Map(journeys?.items.map((each) => [each.journey, each.title]))
    const ofAudience = new Map(audiences?.items.map((each) => [each.audience, each.title]))
    return {
      journey: (name) => ofJourney.get(name) || name,
      audience: (name) => ofAudience.get(name) || name,
    }
  }, [journeys, audiences])
}
