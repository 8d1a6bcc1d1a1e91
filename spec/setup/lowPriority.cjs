const { constants, getPriority, setPriority } = require('node:os');

/** Of this process and all that it starts. What measures no time leaves the processors to what does. */
const { PRIORITY_BELOW_NORMAL } = constants.priority;
if (getPriority() < PRIORITY_BELOW_NORMAL) setPriority(PRIORITY_BELOW_NORMAL);
