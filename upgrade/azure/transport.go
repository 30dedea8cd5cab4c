package azure

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// withoutRedirects returns a transporter that never follows a redirect: an answer that sends us
// elsewhere is an answer we do not understand. nil stands for a client of our own.
func withoutRedirects(t policy.Transporter) policy.Transporter {
	switch t := t.(type) {
	case nil:
		return &http.Client{Transport: newTransport(), CheckRedirect: stay}
	case *http.Client:
		c := *t
		c.CheckRedirect = stay
		return &c
	}
	return t
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// newTransport keeps few connections: one endpoint, a handful of requests at a time. Its limits
// are all below callDeadline, which bounds the whole. net/http by itself repeats a GET when a kept
// connection turns out to be dead, within the same deadline; a PATCH or POST it repeats only when
// not a byte of it was written.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    3 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
	}
}
