package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// BenchmarkScript is the same rollout done with vmssupgrade.py of 2016 (github.com/gbowerman/vmsstools),
// the tool this one descends from, by somebody who starts it again the moment it is done and answers
// its question at once: once for each update domain (-u), and once for each instance (-i). The
// program here is ours, written after its README. Its figures have no budget; they are what the bot
// is compared with. It does not ask how an instance feels: by domain it is fast because it takes the
// next one down while the last one is not healthy yet.
func BenchmarkScript(b *testing.B) {
	b.Run("by-domain", func(b *testing.B) {
		script(b, func(s *vmssupgrade) error {
			for ud := range domains {
				if err := s.run(func() ([]string, error) { return s.domain(ud) }); err != nil {
					return err
				}
			}
			return nil
		})
	})
	b.Run("by-instance", func(b *testing.B) {
		script(b, func(s *vmssupgrade) error {
			for n := range instances {
				if err := s.run(func() ([]string, error) { return []string{fmt.Sprint(n)}, nil }); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func script(b *testing.B, rollout func(*vmssupgrade) error) {
	var found figures
	for b.Loop() {
		found = figures{}
		bubble(b, func(t *testing.T) {
			azure, err := azuresim.New(azuresim.Options{Fleet: fleet(instances, domains, "web"), Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			s := stage{azure: azure, set: "web"}
			out := s.watch()
			err = rollout(&vmssupgrade{http.Client{Transport: near{azure}}, s.truth().ID})
			time.Sleep(5 * time.Minute) // for the last ones to get healthy, which nobody waits for
			found["out-at-once"] = float64(out())
			if err == nil {
				found["makespan"], err = s.makespan(s.healthy())
			}
			if err != nil {
				t.Fatal(err)
			}
			found["arm:all"] = float64(azure.Stats().Calls)
		})
	}
	found.report(b)
}

// healthy is when the last instance got healthy: the end of a rollout that nobody reports.
func (s stage) healthy() (last time.Time) {
	for _, i := range s.truth().Instances {
		if i.HealthSince.After(last) {
			last = i.HealthSince
		}
	}
	return last
}

// near is an Azure as near as in a simulated world: a call takes 30 ms.
type near struct{ azure http.Handler }

func (n near) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(30 * time.Millisecond)
	answer := httptest.NewRecorder()
	n.azure.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// vmssupgrade is the script at work on one set.
type vmssupgrade struct {
	http http.Client
	set  string // resource id
}

// run is one run of the script: it brings the model to the new version, finds out who is meant,
// upgrades them in one call and waits for the set.
func (v *vmssupgrade) run(who func() ([]string, error)) error {
	if err := v.model(); err != nil {
		return err
	}
	ids, err := who()
	if err != nil {
		return err
	}
	if err := v.call("POST", v.set+"/manualupgrade", map[string]any{"instanceIds": ids}, nil); err != nil {
		return err
	}
	return v.wait()
}

// model puts the model back as it was read, with the new version in it, and then waits, so that the
// upgrade is not refused as a second operation: the script leaves that to luck.
func (v *vmssupgrade) model() error {
	var model map[string]any
	if err := v.call("GET", v.set, nil, &model); err != nil {
		return err
	}
	image := model
	for _, part := range []string{"properties", "virtualMachineProfile", "storageProfile", "imageReference"} {
		image, _ = image[part].(map[string]any)
	}
	if image["version"] == target {
		return nil
	}
	image["version"] = target // "Confirm version upgrade (y/n)": y, at once
	if err := v.call("PUT", v.set, model, nil); err != nil {
		return err
	}
	return v.wait()
}

// domain looks at every instance, one by one, for those in the domain.
func (v *vmssupgrade) domain(ud int) (ids []string, err error) {
	var list struct{ Value []struct{ InstanceID string } }
	if err := v.call("GET", v.set+"/virtualMachines", nil, &list); err != nil {
		return nil, err
	}
	for _, vm := range list.Value {
		var view struct{ PlatformUpdateDomain int }
		if err := v.call("GET", v.set+"/virtualMachines/"+vm.InstanceID+"/instanceView", nil, &view); err != nil {
			return nil, err
		}
		if view.PlatformUpdateDomain == ud {
			ids = append(ids, vm.InstanceID)
		}
	}
	return ids, nil
}

// wait looks every five seconds whether the set's provisioning has succeeded.
func (v *vmssupgrade) wait() error {
	for {
		var view struct{ Statuses []struct{ Code string } }
		if err := v.call("GET", v.set+"/instanceView", nil, &view); err != nil {
			return err
		}
		time.Sleep(5 * time.Second)
		for _, s := range view.Statuses {
			if s.Code == "ProvisioningState/succeeded" {
				return nil
			}
		}
	}
}

func (v *vmssupgrade) call(method, path string, body, answer any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(context.Background(), method, "http://127.0.0.1"+path+"?api-version=2016-03-30", bytes.NewReader(sent))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer local")
	r.Header.Set("Content-Type", "application/json")
	got, err := v.http.Do(r)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err == nil && got.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, got.Status, text)
	}
	if err == nil && answer != nil {
		err = json.Unmarshal(text, answer)
	}
	return err
}
