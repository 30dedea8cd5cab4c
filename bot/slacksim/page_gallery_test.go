package slacksim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTheGalleryShowsEverySpecimenAndNoForeignMarkup(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	page := httptest.NewRecorder()
	s.Gallery("A <b>title</b>", []Specimen{
		{"card/first", []byte(`{"text":"t","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"*Approve* <!channel> &lt;script&gt;"}}]}`)},
		{"card/text only", []byte(`{"text":"plain <@U0ANA00001>"}`)},
		{"form/deny", []byte(`{"type":"modal","title":{"type":"plain_text","text":"Deny <i>"},"blocks":[{"type":"holiday"}]}`)},
		{"broken", []byte(`{`)},
	}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/gallery", nil))
	body := page.Body.String()
	for _, want := range []string{"A &lt;b&gt;title", "card/first", "Approve", "&lt;script&gt;", "card/text only", "ana", "Deny &lt;i&gt;", "unsupported", "broken"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(body, "<script") || strings.Contains(body, "<i>") {
		t.Error("foreign markup got through")
	}
	if page.Header().Get("Content-Security-Policy") == "" {
		t.Error("no Content-Security-Policy")
	}
}
