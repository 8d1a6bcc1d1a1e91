const { getPriority, setPriority } = require('node:os');

/** Of this process and of those that it starts. Lower priorities would starve beside other work on the machine. */
const NICE = 5;
if (getPriority() < NICE) setPriority(NICE);
