// The thread: Faden's mark.
export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden>
      <path
        d="M3 23c7 0 6-13 13-13s6 13 13 13"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
      <circle cx="16" cy="10" r="3.4" fill="currentColor" />
    </svg>
  )
}
