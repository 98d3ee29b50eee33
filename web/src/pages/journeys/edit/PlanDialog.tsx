// What publishing would change, before it does: effects on people first, then the lines. Somebody else may have
// published meanwhile; then the work is laid upon his and compared again.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { CircleAlert, GitCompareArrows } from 'lucide-react'
import { useState } from 'react'
import { Problem, post } from '../../../api/client.ts'
import type { Plan, Version, Workspace } from '../../../api/definitions.ts'
import { Failure } from '../../../app/Loaded.tsx'
import { useGo } from '../../../app/url.ts'
import { Button } from '../../../ui/Button.tsx'
import { Dialog } from '../../../ui/Dialog.tsx'
import { Diff } from '../../../ui/Diff.tsx'
import { notify } from '../../../ui/notices.ts'
import { Skeleton } from '../../../ui/Skeleton.tsx'
import { type Draft, dropDraft, rebaseDraft } from '../drafts.ts'
import styles from '../journeys.module.css'
import { useJourneyTexts } from '../texts.ts'
import { versionName } from '../words.ts'
import { effectInWords, useEffectTexts } from './effects.ts'

interface PlanDialogProps {
  name: string
  draft: Draft
  workspace: Workspace
  onReload: () => Promise<unknown>
  onClose: () => void
}

export function PlanDialog({ name, draft, workspace, onReload, onClose }: PlanDialogProps) {
  const t = useJourneyTexts()
  const inWords = useEffectTexts()
  const go = useGo()
  const cache = useQueryClient()
  const files = { ...workspace.files, [draft.file]: draft.text }
  const [reloading, setReloading] = useState(false)
  const plan = useQuery({
    queryKey: ['/workspace/plan', String(workspace.version), draft.file, draft.text],
    queryFn: () => post<Plan>('/workspace/plan', { files }),
    gcTime: 0,
    staleTime: 0,
  })
  const apply = useMutation({
    mutationFn: () => post<{ version: Version }>('/workspace/apply', { files, base_version: workspace.version }),
    onSuccess: async ({ version }) => {
      dropDraft(name)
      await cache.invalidateQueries()
      notify(t('published', { version: versionName(version) }))
      go(`/journeys/${encodeURIComponent(name)}`)
      onClose()
    },
  })
  const conflict = apply.error instanceof Problem && apply.error.status === 409
  const theirs = workspace.files[draft.file] ?? null
  const both = theirs !== draft.base && theirs !== null
  const rebase = async () => {
    setReloading(true)
    await onReload()
    apply.reset()
    setReloading(false)
  }
  const errors = plan.data?.findings.filter((finding) => finding.severity === 'error') ?? []
  return (
    <Dialog
      wide
      title={t('review_title')}
      isOpen
      onClose={onClose}
      footer={
        <>
          <Button onPress={onClose}>{t('cancel')}</Button>
          {conflict ? (
            <Button look="primary" icon={<GitCompareArrows />} isDisabled={reloading} onPress={() => void rebase()}>
              {t('compare_again')}
            </Button>
          ) : (
            <Button
              look="primary"
              busy={apply.isPending}
              isDisabled={!plan.data?.ok || plan.data.changes.length === 0}
              onPress={() => apply.mutate()}
            >
              {apply.isPending ? t('publishing') : t('publish')}
            </Button>
          )}
        </>
      }
    >
      {conflict && (
        <div className={styles.conflict} role="alert">
          <CircleAlert aria-hidden />
          <div>
            <b>{t('conflict')}</b>
            <p className="soft">{t('conflict_text')}</p>
          </div>
        </div>
      )}
      {both && !conflict && (
        <div className={styles.conflict} role="alert">
          <CircleAlert aria-hidden />
          <div className="stack tight">
            <b>{t('same_file')}</b>
            <p className="soft">{t('same_file_text')}</p>
            <div>
              <Button small onPress={() => rebaseDraft(name, theirs)}>
                {t('same_file_seen')}
              </Button>
            </div>
          </div>
        </div>
      )}
      {apply.error && !conflict && <Failure error={apply.error} />}
      {plan.error ? (
        <Failure error={plan.error} onRetry={() => void plan.refetch()} />
      ) : !plan.data ? (
        <Skeleton lines={6} />
      ) : (
        <>
          {errors.length > 0 && (
            <ul className={styles.effects}>
              {errors.map((finding, index) => (
                <li key={index} className={styles.formError}>
                  {finding.file}:{finding.line} · {finding.message}
                </li>
              ))}
            </ul>
          )}
          {plan.data.effects.length > 0 && (
            <section className={styles.section} aria-label={t('effects')}>
              <h3>{t('effects')}</h3>
              <ul className={styles.effects}>
                {plan.data.effects.map((effect) => (
                  <li key={effect}>{effectInWords(effect, inWords)}</li>
                ))}
              </ul>
            </section>
          )}
          <section className={styles.section} aria-label={t('changes')}>
            <h3>{t('changes')}</h3>
            {plan.data.changes.map((each) => (
              <Diff key={each.file} title={`${each.file} · ${t(`file_${each.change}`)}`} unified={each.diff} />
            ))}
            {plan.data.changes.length === 0 && <p className="soft">{t('nothing_changed')}</p>}
          </section>
        </>
      )}
    </Dialog>
  )
}
