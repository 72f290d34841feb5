/** The version of this program, as its package says; a test compares them. */
export const VERSION = '0.1.0'
