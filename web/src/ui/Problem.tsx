// A failure: what failed, then what to do about it.
import { OctagonAlert, RotateCw } from 'lucide-react'
import { useLanguage } from '../i18n.ts'
import { Button } from './Button.tsx'
import styles from './Problem.module.css'
import { GERMAN } from './problems.ts'
import { Said } from './Said.tsx'
import { useUiTexts } from './texts.ts'

/** The parts of problem+json that a person reads. */
export interface ProblemView {
  title: string
  detail?: string
  hint?: string
  code?: string
  doc_url?: string
  request_id?: string | null
  status?: number
}

const KNOWN: Record<number, 'problem_401' | 'problem_403' | 'problem_404'> = {
  401: 'problem_401',
  403: 'problem_403',
  404: 'problem_404',
}

export function Problem({ problem, onRetry }: { problem: ProblemView; onRetry?: () => void }) {
  const t = useUiTexts()
  const [language] = useLanguage()
  const german = language === 'de' ? GERMAN[problem.code ?? ''] : undefined
  const unreachable = problem.code === 'unreachable'
  const known = KNOWN[problem.status ?? 0]
  const said = problem.detail ?? problem.title
  const title = unreachable ? t('problem_unreachable') : known ? t(known) : (german?.[0] ?? said)
  // The server speaks English to programs; what is known here is said in the reader's language instead.
  const hint = unreachable ? t('problem_unreachable_hint') : known ? t(`${known}_hint`) : (german?.[1] ?? problem.hint)
  return (
    <div className={styles.problem} role="alert">
      <OctagonAlert className={styles.icon} aria-hidden />
      <div className="stack tight">
        <p className={styles.title}>
          <Said text={title} />
        </p>
        {hint && (
          <p className="soft">
            <Said text={hint} />
          </p>
        )}
        {german && problem.code === 'bad-input' && (
          <p className="soft" lang="en">
            <Said text={said} />
          </p>
        )}
        <div className="row wrap">
          {onRetry && (
            <Button small icon={<RotateCw />} onPress={onRetry}>
              {t('retry')}
            </Button>
          )}
          {problem.doc_url && /^(https?:|\/)/.test(problem.doc_url) && (
            <a href={problem.doc_url} target="_blank" rel="noreferrer">
              {t('problem_code')}
            </a>
          )}
          {problem.code && !unreachable && <code className="muted">{problem.code}</code>}
          {problem.request_id && (
            <span className="muted">
              {t('problem_request')} <code>{problem.request_id}</code>
            </span>
          )}
        </div>
      </div>
    </div>
  )
}
