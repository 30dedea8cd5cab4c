package azure

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// The versions of the interfaces that are spoken here and not by the SDK. Those of Compute are the
// SDK's own (a test compares): galleries have another line of versions than the rest.
const (
	computeVersion  = "2026-04-01"
	galleryVersion  = "2025-12-03"
	insightsVersion = "2022-10-01"
)

// page is one page of a list that is decoded here, into what is read of it: the lists of VMs, as the
// SDK's types, in which everything is a pointer, make 80 MB of a thousand instances with their views where
// ours make 5; those of images, which are in several subscriptions and alike for all kinds; and those
// the SDK does not know.
type page[T any] struct {
	Value    []T    `json:"value"` // nil = the answer holds no list
	NextLink string `json:"nextLink"`
}

// newPager pages through a list with the SDK's pipeline, and decodes what the guard has read.
func newPager[T any](a *Azure, path string, query url.Values) *runtime.Pager[page[T]] {
	first := path + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
	return runtime.NewPager(runtime.PagingHandler[page[T]]{
		More: func(p page[T]) bool { return p.NextLink != "" },
		Fetcher: func(ctx context.Context, last *page[T]) (page[T], error) {
			link := first
			if last != nil {
				link = last.NextLink
			}
			return fetch[page[T]](ctx, a, link)
		},
	})
}

// fetch gets one document. The context is one that a flight has begun with.
func fetch[T any](ctx context.Context, a *Azure, link string) (doc T, err error) {
	req, err := runtime.NewRequestForNextLink(ctx, http.MethodGet, a.raw.Endpoint(), link)
	if err != nil {
		return doc, refuse("a link in the answer cannot be asked for")
	}
	req.Raw().Header.Set("Accept", "application/json")
	runtime.SkipBodyDownload(req) // the guard has the body
	resp, err := a.raw.Pipeline().Do(req)
	if err != nil {
		return doc, err
	}
	if !runtime.HasStatusCode(resp, http.StatusOK) {
		return doc, runtime.NewResponseError(resp)
	}
	f, _ := ctx.Value(flightKey{}).(*flight)
	err = json.Unmarshal(f.body, &doc)
	return doc, err
}
