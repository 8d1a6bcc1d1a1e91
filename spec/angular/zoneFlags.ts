// Before zone.js is imported: it shall not patch what this process shares with the test runner. Such patches outlive
// the spec, and the runner's own ports would call into a sandbox that is gone.
Object.assign(globalThis, { __Zone_disable_EventTarget: true, __Zone_disable_on_property: true });

export {};
