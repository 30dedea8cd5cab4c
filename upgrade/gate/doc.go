// Package gate asks external gates over HTTP whether all is well: a health page, or a query to Prometheus. What they
// say fills the domain's Observation.Gates; what follows from it is decided there.
//
// # Nouns
//
//   - A [Gate] is one external gate, as configured: what is asked, and what must be answered. (In the domain a Gate is
//     what one yes covers, and an external gate is a Probe.)
//   - A [Prober] asks gates, beside everything else, as long as somebody wants to know.
//   - A [Transport] is the way out: it reaches no link-local address and no other that tells a machine's secrets,
//     whatever a name resolves to at that moment, and follows no redirect.
//
// An answer is pass, fail or unknown. Whatever says more about the asking than about what is asked for is unknown: no
// answer in time, half of one, a redirect, a refused sign-in. Unknown is never a pass.
//
// # Who calls it
//
// cmd makes gates of the configuration and hands [Prober.Read] to the engine. Nothing that people say ever becomes an
// address or a part of one. No address, header or answer gets into a message, but for a short part of what was
// answered instead of what was to be.
package gate
