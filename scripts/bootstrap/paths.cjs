'use strict'

const path = require('path')

const root = path.resolve(__dirname, '..', '..')

/** A path inside the project. */
const inProject = (...parts) => path.join(root, ...parts)

/** A path inside the folder of things that can be made again. */
const inCache = (...parts) => path.join(root, '.cache', ...parts)

module.exports = { root, inProject, inCache }
