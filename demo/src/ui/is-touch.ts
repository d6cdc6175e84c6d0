/** Whether the page is used with fingers, and its keyboard is most likely one on the screen. */
export const isTouch = matchMedia('(pointer: coarse)')
