import { signal } from '@preact/signals'

/** Whether the settings of the conversation are shown beside it. */
export const isSettingsOpen = signal(false)

/** Whether the list of conversations is shown, where it has no room of its own. */
export const isSidebarOpen = signal(false)
