package azure

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Cloud is one of Azure's clouds; "" is Public.
type Cloud string

const (
	Public Cloud = "public"
	USGov  Cloud = "usgov"
	China  Cloud = "china"
)

func (c Cloud) configuration() (cloud.Configuration, error) {
	switch c {
	case Public, "":
		return cloud.AzurePublic, nil
	case USGov:
		return cloud.AzureGovernment, nil
	case China:
		return cloud.AzureChina, nil
	}
	return cloud.Configuration{}, fmt.Errorf("cloud %q is not one of %s, %s, %s", clip(string(c), 40), Public, USGov, China)
}

// Kinds lists the words [Credential] understands.
func Kinds() []string { return []string{"default", "workload", "managed", "env", "cli"} }

// Credential returns the bot's identity: "default" (or "") tries what the environment offers in the
// SDK's order, "workload" is Kubernetes workload identity, "managed" the machine's own identity,
// "env" a service principal in AZURE_* variables, "cli" whoever is signed in to az. clientID
// chooses among several identities and belongs to "workload" and "managed" only. Nothing is asked
// of Azure yet.
func Credential(kind, clientID string, c Cloud) (azcore.TokenCredential, error) {
	conf, err := c.configuration()
	if err != nil {
		return nil, fmt.Errorf("azure credential: %w", err)
	}
	if clientID != "" && kind != "workload" && kind != "managed" {
		return nil, fmt.Errorf("azure credential: a client id belongs to kind workload or managed, not %q", clip(kind, 40))
	}
	cred, err := newCredential(kind, clientID, azcore.ClientOptions{Cloud: conf})
	if err != nil {
		return nil, fmt.Errorf("azure credential %s: %s", clip(kind, 40), scrub(err.Error()))
	}
	return cred, nil
}

func newCredential(kind, clientID string, o azcore.ClientOptions) (azcore.TokenCredential, error) {
	switch kind {
	case "default", "":
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: o})
	case "workload":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: o, ClientID: clientID})
	case "managed":
		m := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o}
		if clientID != "" {
			m.ID = azidentity.ClientID(clientID)
		}
		return azidentity.NewManagedIdentityCredential(m)
	case "env":
		return azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: o})
	case "cli":
		return azidentity.NewAzureCLICredential(nil)
	}
	return nil, fmt.Errorf("the kind must be one of %s", strings.Join(Kinds(), ", "))
}

// Check says all that [New] and [Credential] would refuse of a configuration, and needs no identity for it;
// the kind "local" is [LocalCredential].
func Check(c Config, kind, clientID string) error {
	var errs []error
	if kind != "" && kind != "local" && !slices.Contains(Kinds(), kind) {
		errs = append(errs, fmt.Errorf("auth: %q is not one of %s, local", clip(kind, 40), strings.Join(Kinds(), ", ")))
	}
	if clientID != "" && kind != "workload" && kind != "managed" {
		errs = append(errs, fmt.Errorf("client_id: a client id belongs to auth workload or managed, not %q", clip(kind, 40)))
	}
	for _, g := range c.ResourceGroups {
		if !patterns["group"].MatchString(g) {
			errs = append(errs, fmt.Errorf("resource_groups: %q cannot be one", clip(g, 100)))
		}
	}
	_, _, err := permitted(c.Cloud, c.Endpoint, kind == "local")
	return errors.Join(append(errs, err)...)
}

// LocalCredential is the one credential for an endpoint on this machine: a fixed token that is no
// secret and says so. Azure itself would refuse it.
func LocalCredential() azcore.TokenCredential { return localCredential{} }

type localCredential struct{}

// localToken is recognisable in any log.
const localToken = "vmssbot-local-token-not-a-secret"

func (localCredential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: localToken, ExpiresOn: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

// endpoint works out where requests go, and refuses every pair of address and credential but two:
// the cloud's own address with a real credential, and this machine with LocalCredential.
func endpoint(c Cloud, address string, cred azcore.TokenCredential) (*url.URL, cloud.Configuration, error) {
	if cred == nil {
		return nil, cloud.Configuration{}, errors.New("there is no credential")
	}
	_, local := cred.(localCredential)
	return permitted(c, address, local)
}

func permitted(c Cloud, address string, local bool) (*url.URL, cloud.Configuration, error) {
	conf, err := c.configuration()
	if err != nil {
		return nil, conf, err
	}
	own := conf.Services[cloud.ResourceManager].Endpoint
	if address == "" {
		address = own
	}
	u, err := parseEndpoint(address)
	if err != nil {
		return nil, conf, err
	}
	ownURL, err := url.Parse(own)
	if err != nil {
		return nil, conf, err
	}
	if err := permit(u, u.Scheme == "https" && hostPort(u) == hostPort(ownURL), local); err != nil {
		return nil, conf, err
	}
	return u, at(conf, u), nil
}

func parseEndpoint(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("the endpoint is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("endpoint: the scheme must be https, or http on this machine, not %q", clip(u.Scheme, 20))
	case u.User != nil:
		return nil, errors.New("the endpoint must not carry a user or password")
	case u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the endpoint must be scheme, host and port only")
	}
	u.Path = ""
	return u, nil
}

func permit(u *url.URL, own, local bool) error {
	switch host := u.Hostname(); {
	case isLoopback(host) && local:
		return nil
	case isLoopback(host):
		return fmt.Errorf("endpoint %s is on this machine: only the local credential may go there, never a real one", u.Host)
	case local:
		return fmt.Errorf("endpoint %s is not on this machine: the local credential is for loopback endpoints only", u.Host)
	case u.Scheme == "http":
		return fmt.Errorf("endpoint %s: plain http is for loopback endpoints only", u.Host)
	case !own:
		return fmt.Errorf("endpoint %s is not the configured cloud's own: a real credential may not go there", u.Host)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// at is the cloud's configuration with Resource Manager at u, and the same audience.
func at(conf cloud.Configuration, u *url.URL) cloud.Configuration {
	rm := conf.Services[cloud.ResourceManager]
	rm.Endpoint = strings.TrimSuffix(u.String(), "/")
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: conf.ActiveDirectoryAuthorityHost,
		Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: rm},
	}
}
