// What else the workspace has: for choices in forms, and so that a new step begins with something real.
import { useMemo } from 'react'
import type { AudienceSummary, Channel, JourneySummary, Template } from '../../../api/definitions.ts'
import { useList } from '../../../api/hooks.ts'
import type { Surroundings } from '../model/edit.ts'

export interface Around extends Surroundings {
  audiences: readonly string[]
  /** Of each template, the channels that it has a text for. */
  variants: ReadonlyMap<string, readonly string[]>
}

export function useSurroundings(journey: string): Around {
  const templates = useList<Template>('/templates')
  const channels = useList<Channel>('/channels')
  const journeys = useList<JourneySummary>('/journeys')
  const audiences = useList<AudienceSummary>('/audiences')
  return useMemo(
    () => ({
      templates: templates.items.map((template) => template.template),
      channels: [...new Set(channels.items.map((channel) => channel.kind))],
      journeys: journeys.items.map((each) => each.journey).filter((name) => name !== journey),
      audiences: audiences.items.map((audience) => audience.audience),
      variants: new Map(
        templates.items.map((template) => [
          template.template,
          [...new Set(template.variants.map((variant) => variant.channel))],
        ]),
      ),
    }),
    [templates.items, channels.items, journeys.items, audiences.items, journey],
  )
}
