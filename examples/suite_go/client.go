// Package suite is a small client of POST /users/track/sync, which keeps the contract: it waits after a 429, tries again
// after a 5XX with pauses that grow, and reports success only where the response shows the update.
package suite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const attempts = 6

// Client sends updates of one user at a time.
type Client struct {
	url, key string
	http     http.Client
}

type result struct {
	Users []struct {
		Attributes map[string]any `json:"custom_attributes"`
	}
}

// New makes a client of the endpoint and key in the environment.
func New() *Client {
	url := strings.TrimRight(os.Getenv("BRAZE_REST_ENDPOINT"), "/") + "/users/track/sync"
	return &Client{url, os.Getenv("BRAZE_API_KEY"), http.Client{Timeout: 60 * time.Second}}
}

// Set sets attributes of a user, and checks that the response shows them.
func (c *Client) Set(user string, attributes map[string]any) error {
	object := map[string]any{"external_id": user}
	for name, value := range attributes {
		object[name] = value
	}
	shown, err := c.send(map[string]any{"attributes": []any{object}}, true)
	if err != nil {
		return err
	}
	for name, value := range attributes {
		if len(shown.Users) == 0 || !same(shown.Users[0].Attributes[name], value) {
			return fmt.Errorf("%s was not applied", name)
		}
	}
	return nil
}

// same compares values as JSON, which has one kind of number.
func same(one, other any) bool {
	first, _ := json.Marshal(one)
	second, _ := json.Marshal(other)
	return bytes.Equal(first, second)
}

// Event records an event. It is not sent again when it is not known whether it was applied: it would count twice.
func (c *Client) Event(user, name string) error {
	event := map[string]any{"external_id": user, "name": name, "time": time.Now().UTC().Format(time.RFC3339Nano)}
	shown, err := c.send(map[string]any{"events": []any{event}}, false)
	if err == nil && len(shown.Users) == 0 {
		err = fmt.Errorf("%s was not applied", name)
	}
	return err
}

func (c *Client) send(content any, repeatable bool) (shown result, err error) {
	body, err := json.Marshal(content)
	for attempt := 0; attempt < attempts && err == nil; attempt++ {
		status, reset, lost := c.once(body, &shown)
		switch {
		case status == 201 && lost == nil:
			return shown, nil
		case status >= 400 && status < 500 && status != 429:
			return shown, fmt.Errorf("refused with %d", status)
		case !repeatable && status != 429 && status != 502 && status != 503:
			return shown, fmt.Errorf("it may have been applied")
		case status == 429:
			// The clocks may differ: the pause is at least a second, and grows where the limit is still in force.
			time.Sleep(time.Duration(attempt+1) * time.Second)
			time.Sleep(time.Until(time.Unix(reset, 0)) + 50*time.Millisecond)
		default:
			time.Sleep(200 * time.Millisecond << attempt)
		}
	}
	return shown, fmt.Errorf("no success after %d tries", attempts)
}

// once sends the body, and returns the status and the reset time of the limit. The error does not show the key.
func (c *Client) once(body []byte, shown *result) (status int, reset int64, err error) {
	request, err := http.NewRequest("POST", c.url, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	reset, _ = strconv.ParseInt(response.Header.Get("X-Ratelimit-Reset"), 10, 64)
	if response.StatusCode == 201 {
		*shown = result{}
		err = json.NewDecoder(response.Body).Decode(shown)
	}
	return response.StatusCode, reset, err
}
