package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Transport is the way out. An address is looked at when the connection is made, after its name was resolved: what a
// name resolves to may be another thing each time. Every question has a connection of its own, so that none is kept
// that was allowed once. No proxy of the environment comes between, who would be the one to resolve names.
func Transport(r *net.Resolver) *http.Transport {
	return &http.Transport{
		DialContext:            dialer(r),
		DisableKeepAlives:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

type secure struct{}

// secured marks a context in which the connection will be encrypted.
func secured(ctx context.Context) context.Context { return context.WithValue(ctx, secure{}, true) }

func dialer(r *net.Resolver) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		tls := ctx.Value(secure{}) != nil
		d := net.Dialer{Resolver: r, Control: func(_, at string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(at)
			if err != nil {
				return fmt.Errorf("%w: %q", errRefused, at)
			}
			if why := refused(to.Addr(), tls); why != "" {
				return fmt.Errorf("%w: %s %s", errRefused, to.Addr(), why)
			}
			return nil
		}}
		return d.DialContext(ctx, network, addr)
	}
}

// errRefused is the bot's own no to an address.
var errRefused = errors.New("never called")

// Addresses that tell secrets of the machine or its account, beside link-local ones: Azure's wire server, and the
// metadata services of Alibaba, AWS over IPv6, and Oracle.
var secrets = []netip.Addr{
	netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("192.0.0.192"),
}

// nobody are ranges in which no gate can be: reserved ones, those of which only machines of a cloud are told, and IPv6
// that leads to an IPv4 address which it does not show.
var nobody = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("fd00:ec2::/32"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("fec0::/10"),
}

// Ranges of IPv6 that carry an address of IPv4, and where in it.
var carriers = []struct {
	netip.Prefix
	at int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12},
}

// shared is as private as a private range: RFC 6598.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// refused says why an address is not called, "" = it may be.
func refused(ip netip.Addr, tls bool) string {
	ip = ip.Unmap().WithZone("")
	for _, c := range carriers {
		if c.Contains(ip) && !ip.IsLoopback() && !ip.IsUnspecified() {
			b := ip.As16()
			if why := refused(netip.AddrFrom4([4]byte(b[c.at:c.at+4])), true); why != "" {
				return why
			}
		}
	}
	switch {
	case ip.IsLinkLocalUnicast(), ip.IsLinkLocalMulticast():
		return "is link-local and is never called"
	case ip.IsUnspecified(), ip.IsMulticast():
		return "is no machine's address and is never called"
	}
	for _, s := range secrets {
		if ip == s {
			return "tells a machine's secrets and is never called"
		}
	}
	for _, p := range nobody {
		if p.Contains(ip) {
			return "is no machine's address and is never called"
		}
	}
	if !tls && !ip.IsLoopback() && !ip.IsPrivate() && !shared.Contains(ip) {
		return "is public: it is called over https only"
	}
	return ""
}
