'use strict'

/** A reason to stop that is told in words, without a stack. */
class Refusal extends Error {}

module.exports = { Refusal }
