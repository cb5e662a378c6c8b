package gateway

import (
	"runtime"
	"sync"
)

// fifo is a queue.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) push(v T) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, v)
}

func (q *fifo[T]) pop() T {
	var zero T
	v := q.items[q.head]
	q.items[q.head] = zero
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return v
}

// workers run queries, a bounded number at once. Goroutines are used again, since their stacks have
// grown to what handlers need.
type workers struct {
	most int

	mu     sync.Mutex
	some   sync.Cond
	queue  fifo[*task]
	all    int // goroutines
	idle   int
	closed bool
}

// idlePerProcessor is how many goroutines are kept for each processor when there is nothing to do:
// as many as a commit lets go at once, with stacks of 32 KB.
const idlePerProcessor = 32

// submit has a query run as soon as a worker is free.
func (w *workers) submit(t *task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue.push(t)
	switch {
	case w.idle >= w.queue.len():
		w.some.Signal()
	case w.all < w.most:
		w.all++
		go w.run()
	}
}

func (w *workers) run() {
	for {
		t := w.next()
		if t == nil {
			return
		}
		t.run()
	}
}

// next waits for a query. It returns nil when there are workers enough, or at the end.
func (w *workers) next() *task {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.queue.len() == 0 {
		if w.closed || w.idle >= idlePerProcessor*runtime.GOMAXPROCS(0) {
			w.all--
			return nil
		}
		w.idle++
		w.some.Wait()
		w.idle--
	}
	return w.queue.pop()
}

// busy returns how many queries run or wait for a worker.
func (w *workers) busy() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all - w.idle + w.queue.len()
}

func (w *workers) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.some.Broadcast()
}
