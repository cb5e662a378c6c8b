package node

import "parley/internal/web/staff"

// Staff keeps who works in the moderators' console, and what they look at and do.
func (n *Node) Staff() (*staff.Service, error) {
	return staff.New(staff.Options{
		Store: n.Store, Clock: n.clock, Box: n.Keys.Box(), Key: n.Keys.Derive("staff forms"),
		URL: n.Config.Console.PublicURL,
		Alarm: func(action, detail string) {
			n.log.Warn("staff", "action", action, "detail", detail)
		},
	})
}
