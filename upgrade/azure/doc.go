// Package azure is the domain's view of Azure Resource Manager: it implements [upgrade.Fleet] and
// [upgrade.Catalogue] on the official SDK. It translates, pages, polls, guards and classifies
// errors. It decides nothing.
//
// Its nouns. [Azure] is one subscription behind one endpoint. A call is one kind of request we
// mean to send, listed with the right it needs ([Calls], [Actions]). The guard is the transport:
// the one place every request passes, which lets through only these calls, on the configured host,
// in the configured subscription and resource groups, about the set they were made for, and which
// gives each its deadline. Only what the id of an image names is read elsewhere, too, since a model may
// name images of other groups and subscriptions: such a call carries the one path it may have. The guard
// also keeps quiet: for as long as Azure asked, calls of the same bucket are answered as throttled without
// being sent, whichever rollout makes them. Thrift is what answers told of the calls that are left: a list
// is begun only when all of it can be had. A flight is what is known of one request: whether it left, and
// what came back. A shelf is where the images of a kind are listed. A token is what is kept of
// an accepted write so that any later process can ask how it went.
//
// The engine calls Observe, Apply, Poll and Wait; the desk calls Observe, Sets, Versions, Version, Sizes and
// Autoscale.
//
// It never repeats a write (the SDK's retries are off; only after a 401 that asks for another kind of
// token, a definite no, the SDK asks once more), never names instances by "*" or by an empty list,
// never follows a redirect or a URL to another host, never sends a real credential to
// anything but Azure itself, and never lets a token, an Authorization header or a signed URL into
// an error. The SDK's own log, which might, stays off in every program that links this package.
package azure
