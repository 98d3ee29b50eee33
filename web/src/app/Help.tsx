// The keys, all of them.
import { Dialog } from '../ui/Dialog.tsx'
import styles from './Help.module.css'
import { PLACES } from './places.ts'
import { useAppTexts } from './texts.ts'

export default function Help({ onClose }: { onClose: () => void }) {
  const t = useAppTexts()
  return (
    <Dialog title={t('help')} isOpen onClose={onClose}>
      <section className={styles.keys}>
        <h3>{t('help_anywhere')}</h3>
        <Key keys={['Ctrl', 'K']} does={t('help_find')} />
        <Key keys={['/']} does={t('help_search')} />
        <Key keys={['?']} does={t('help_help')} />
        <Key keys={['Esc']} does={t('help_escape')} />
        <Key keys={['g']} does={t('help_goto')} />
      </section>
      <section className={styles.keys}>
        <h3>{t('help_lists')}</h3>
        <Key keys={['j']} does={t('help_down')} />
        <Key keys={['k']} does={t('help_up')} />
        <Key keys={['Enter']} does={t('help_open')} />
      </section>
      <section className={styles.keys}>
        <h3>{t('find_pages')}</h3>
        {PLACES.map((place) => (
          <Key key={place.key} keys={['g', place.letter]} does={t(place.key)} />
        ))}
      </section>
    </Dialog>
  )
}

function Key({ keys, does }: { keys: string[]; does: string }) {
  return (
    <div className={styles.key}>
      <span>{does}</span>
      <span className="row tight">
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </span>
    </div>
  )
}
