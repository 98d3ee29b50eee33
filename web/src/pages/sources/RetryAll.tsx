// Everything that was refused once more, one after the other: how far it is, and what became of it.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { RotateCw } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { get, post, segment } from '../../api/client.ts'
import type { DeadLetter, Taken } from '../../api/definitions.ts'
import type { Page } from '../../api/types.ts'
import { Failure } from '../../app/Loaded.tsx'
import { useRefusal } from '../../app/may.ts'
import { Button } from '../../ui/Button.tsx'
import styles from './sources.module.css'
import { useSourceTexts } from './texts.ts'

interface Progress {
  all: number
  done: number
  taken: number
}

async function open(): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = []
  let token: string | null | undefined = null
  do {
    const page: Page<DeadLetter> = await get('/dead_letters', { limit: 500, page_token: token })
    letters.push(...page.items.filter((letter) => !letter.retried))
    token = page.next_page_token
  } while (token)
  return letters
}

export function RetryAll({ waiting }: { waiting: boolean }) {
  const t = useSourceTexts()
  const refusal = useRefusal()
  const cache = useQueryClient()
  const [progress, setProgress] = useState<Progress | null>(null)
  const gone = useRef(false)
  useEffect(() => {
    gone.current = false
    return () => {
      gone.current = true
    }
  }, [])
  const run = useMutation({
    mutationFn: async () => {
      const letters = await open()
      let taken = 0
      for (const [at, letter] of letters.entries()) {
        if (gone.current) return
        setProgress({ all: letters.length, done: at, taken })
        const answer = await post<Taken>(`/dead_letters/${segment(String(letter.id))}/retry`)
        if (answer.accepted) taken++
      }
      setProgress({ all: letters.length, done: letters.length, taken })
    },
    onSettled: () => cache.invalidateQueries({ queryKey: ['/dead_letters'] }),
  })
  if (!waiting && !progress) return null
  return (
    <div className={styles.retryAll}>
      <Button
        icon={<RotateCw />}
        refused={refusal('operate')}
        busy={run.isPending}
        isDisabled={!waiting}
        onPress={() => run.mutate()}
      >
        {t('retry_all')}
      </Button>
      {progress && (
        <>
          {run.isPending && <progress max={progress.all} value={progress.done} aria-label={t('retry_all')} />}
          <span role="status" className="soft">
            {t(run.isPending ? 'retrying' : 'retried_all', { ...progress, left: progress.done - progress.taken })}
          </span>
        </>
      )}
      {run.error && <Failure error={run.error} />}
    </div>
  )
}
