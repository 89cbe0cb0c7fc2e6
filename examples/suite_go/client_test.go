// The client's own tests. They know nothing of the gate: endpoint and key come from the environment. -count=1 keeps Go
// from showing the result of an earlier run.
//
//	cd examples/suite_go && tracksync gate --scenario quick -- go test -v -count=1
package suite

import "testing"

func TestAnAttributeIsSet(t *testing.T) {
	if err := New().Set("user-1", map[string]any{"plan": "trial"}); err != nil {
		t.Fatal(err)
	}
}

func TestAnAttributeIsReplaced(t *testing.T) {
	if err := New().Set("user-1", map[string]any{"plan": "paid"}); err != nil {
		t.Fatal(err)
	}
}

func TestAnEventIsRecorded(t *testing.T) {
	if err := New().Event("user-2", "signed up"); err != nil {
		t.Fatal(err)
	}
}
