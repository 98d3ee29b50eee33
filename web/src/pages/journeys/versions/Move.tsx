// Moving people who are inside to another version: where each would land, first as a preview; and back again.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ArrowRight, Undo2 } from 'lucide-react'
import { useMemo, useState } from 'react'
import { post } from '../../../api/client.ts'
import type { Journey, MigrationPreview } from '../../../api/definitions.ts'
import { useGet } from '../../../api/hooks.ts'
import { Failure } from '../../../app/Loaded.tsx'
import { localeOf, useLanguage } from '../../../i18n.ts'
import { Button } from '../../../ui/Button.tsx'
import { Dialog } from '../../../ui/Dialog.tsx'
import { notify } from '../../../ui/notices.ts'
import { Select } from '../../../ui/Select.tsx'
import styles from '../journeys.module.css'
import { nameOf } from '../model/describe.ts'
import { readDefinition } from '../model/document.ts'
import { useJourneyTexts } from '../texts.ts'
import { sameVersion, versionName } from '../words.ts'

const SAME = ' same'

export function Move({ journey, onClose }: { journey: Journey; onClose: () => void }) {
  const t = useJourneyTexts()
  const [language] = useLanguage()
  const cache = useQueryClient()
  const [to, setTo] = useState(String(journey.version))
  const [steps, setSteps] = useState<Record<string, string>>({})
  const path = `/journeys/${encodeURIComponent(journey.journey)}`
  const target = useGet<Journey>(path, { version: to })
  const to_version = journey.versions.find((each) => sameVersion(each.version, to))?.version ?? to
  const preview = useMutation({
    mutationFn: (chosen: Record<string, string>) =>
      post<MigrationPreview>(`${path}/migrations`, { to_version, steps: chosen, preview: true }),
  })
  const move = useMutation({
    mutationFn: () => post<MigrationPreview>(`${path}/migrations`, { to_version, steps, preview: false }),
    onSuccess: () => void cache.invalidateQueries(),
  })
  const undo = useMutation({
    mutationFn: (number: number) => post(`${path}/migrations/${number}/undo`),
    onSuccess: () => {
      void cache.invalidateQueries()
      notify(t('moved_back'))
      onClose()
    },
  })
  const definition = useMemo(
    () => (sameVersion(target.data?.version, to) ? readDefinition(target.data?.source ?? '') : null),
    [target.data, to],
  )
  const choose = (from: string, landing: string) => {
    const changed = { ...steps }
    if (landing === SAME) delete changed[from]
    else changed[from] = landing
    setSteps(changed)
    preview.mutate(changed)
  }
  const shown = move.data ?? preview.data
  const total = shown?.moved.filter((each) => !!each.to).reduce((sum, each) => sum + each.count, 0) ?? 0
  const failure = preview.error ?? move.error ?? undo.error
  return (
    <Dialog
      wide
      title={t('move_people')}
      isOpen
      onClose={onClose}
      footer={
        move.data ? (
          <>
            <Button icon={<Undo2 />} busy={undo.isPending} onPress={() => undo.mutate(move.data.number)}>
              {t('move_back')}
            </Button>
            <Button look="primary" onPress={onClose}>
              {t('done')}
            </Button>
          </>
        ) : (
          <>
            <Button onPress={onClose}>{t('cancel')}</Button>
            <Button busy={preview.isPending} onPress={() => preview.mutate(steps)}>
              {t('preview')}
            </Button>
            <Button
              look="primary"
              busy={move.isPending}
              isDisabled={!preview.data || total === 0}
              onPress={() => move.mutate()}
            >
              {preview.data ? t('move', { count: total }) : t('move_people')}
            </Button>
          </>
        )
      }
    >
      {move.data ? (
        <p role="status">{t('moved', { count: total })}</p>
      ) : (
        <>
          <p className="soft">{t('move_text')}</p>
          <Select
            label={t('to_version')}
            value={to}
            onChange={(version) => {
              setTo(version)
              setSteps({})
              preview.reset()
            }}
            choices={journey.versions.map((each) => ({
              value: String(each.version),
              label: versionName(each.version),
              detail: t('inside_count', { count: each.running }),
            }))}
          />
        </>
      )}
      {failure && <Failure error={failure} />}
      {shown && (
        <table className={styles.landings}>
          <caption className="visually-hidden">{t('landings')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('now_at')}</th>
              <th scope="col">{t('lands_at')}</th>
              <th scope="col">{t('people')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.moved.map((each) => (
              <tr key={`${each.step}→${each.to}`}>
                <th scope="row">{each.step}</th>
                <td>
                  {move.data ? (
                    <span className="row">
                      <ArrowRight aria-hidden /> {each.to ?? t('stays')}
                    </span>
                  ) : (
                    <Select
                      inline
                      label={!each.to ? t('stays') : t('to')}
                      value={steps[each.step] ?? SAME}
                      onChange={(landing) => choose(each.step, landing)}
                      choices={[
                        { value: SAME, label: each.to && !steps[each.step] ? each.to : t('same_name') },
                        ...(definition?.steps.map((step) => ({ value: step.id, label: nameOf(step) })) ?? []),
                      ]}
                    />
                  )}
                </td>
                <td className="num">{each.count.toLocaleString(localeOf(language))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {shown && shown.moved.length === 0 && <p className="soft">{t('nobody_to_move')}</p>}
      {shown && shown.parked > 0 && !move.data && (
        <p className={styles.formWarning}>{t('parked', { count: shown.parked })}</p>
      )}
    </Dialog>
  )
}
