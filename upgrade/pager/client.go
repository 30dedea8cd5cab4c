package pager

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// answersWithin is how long a receiver has for an answer, all in all.
const answersWithin = 10 * time.Second

// Client is how receivers are reached: no redirect is followed, no proxy asked, and what a name leads to is looked
// at when it is connected to, whatever it led to before.
func Client() *http.Client {
	return &http.Client{Timeout: answersWithin, CheckRedirect: stay, Transport: &http.Transport{
		DialContext: dial, TLSHandshakeTimeout: 5 * time.Second, ForceAttemptHTTP2: true, DisableCompression: true,
		MaxResponseHeaderBytes: 16 << 10, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute}}
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		return allowed(address, Here(host))
	}}
	return d.DialContext(ctx, network, addr)
}

// Here reports whether a host is this machine by its very name: an address, or localhost.
func Here(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// elsewhere holds what is nobody's receiver: where clouds tell their machines secrets, what holds an IPv4 address
// within an IPv6 one, and addresses that are none.
var elsewhere = []netip.Prefix{
	netip.MustParsePrefix("168.63.129.16/32"), netip.MustParsePrefix("100.100.100.200/32"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("fd00:ec2::/32"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("2001::/32"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("240.0.0.0/4"),
}

// allowed refuses an address that a receiver cannot be at. here says that this machine is wanted: a name that leads
// here without saying so was made to.
func allowed(address string, here bool) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s is no address", address)
	}
	ip := at.Addr().Unmap().WithZone("")
	switch {
	case ip.IsLoopback() && here:
		return nil
	case ip.IsLoopback():
		return fmt.Errorf("the name leads to this machine (%s)", ip)
	case here:
		return fmt.Errorf("the name of this machine leads to %s", ip)
	case ip.IsUnspecified(), ip.IsMulticast(), ip.IsLinkLocalUnicast():
		return fmt.Errorf("the name leads to %s, where no receiver can be", ip)
	}
	for _, p := range elsewhere {
		if p.Contains(ip) {
			return fmt.Errorf("the name leads to %s, where no receiver can be", ip)
		}
	}
	return nil
}
