import { describeLink } from '../conformance.fixture.ts'
import { serveXxl } from './xxl-peer.fixture.ts'

// an executor says the end of a run by its number, hears whether it was taken, runs what it is given again, and has no boots
describeLink('XXL-JOB', serveXxl, { nameRuns: false, sayMore: false, hearMore: false, refuseRepeats: false, tellBoot: false })
