package node_test

import (
	"context"
	"errors"
	"testing"

	"parley/internal/node/nodetest"
	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/web/staff"
)

// TestRolesOfSigners asks the staff's records in which role somebody signs.
func TestRolesOfSigners(t *testing.T) {
	n := nodetest.Start(t, nil).Node
	ctx := context.Background()
	people, err := n.Staff()
	if err != nil {
		t.Fatal(err)
	}
	legal, _, err := people.Add(ctx, staff.Operator, "Legal", staff.Legal)
	if err != nil {
		t.Fatal(err)
	}
	if role, err := n.Orders.Role(ctx, legal); err != nil || role != policy.Legal {
		t.Errorf("%q: %v", role, err)
	}
	if err := people.Disable(ctx, legal, true); err != nil {
		t.Fatal(err)
	}
	for who, id := range map[string]int64{"somebody who left": legal, "nobody": 1, "operator": 0} {
		if role, err := n.Orders.Role(ctx, id); !errors.Is(err, order.ErrRole) {
			t.Errorf("%s signs as %q: %v", who, role, err)
		}
	}
}
