/** Whether this person wants things to be where they belong rather than to travel there. Styles ask for themselves (base.css). */
export function wantsLessMotion(): boolean {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches
}
