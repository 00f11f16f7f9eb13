// The exactly-once copy on franz-go: values upper-cased, one GroupTransactSession a process.
package main

import (
	"bytes"
	"context"
	"flag"
	"log"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	bootstrap := flag.String("bootstrap", "", "bootstrap server")
	group := flag.String("group", "", "consumer group and transactional id")
	input := flag.String("input", "", "topic to read")
	output := flag.String("output", "", "topic to write")
	commitIntervalMs := flag.Int("commit-interval-ms", 100, "time between commits; 0 commits after every poll")
	flag.Parse()

	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(*bootstrap),
		kgo.TransactionalID(*group),
		kgo.ConsumerGroup(*group),
		kgo.ConsumeTopics(*input),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DefaultProduceTopicAlways(),
		kgo.DefaultProduceTopic(*output),
		// The others write uncompressed too; the default here is snappy.
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		// A low rate must not wait in the linger; a high rate fills its batches while requests are in flight.
		kgo.ProducerLinger(0),
	)
	if err != nil {
		log.Fatal(err)
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	for ctx.Err() == nil {
		if err := transaction(ctx, session, time.Duration(*commitIntervalMs)*time.Millisecond); err != nil {
			log.Fatal(err)
		}
	}
	session.Close()
}

// transaction waits for records, then copies what arrives within the interval and commits.
func transaction(ctx context.Context, session *kgo.GroupTransactSession, interval time.Duration) error {
	fetches := session.PollFetches(ctx)
	if fetches.NumRecords() == 0 {
		return failure(ctx, fetches)
	}
	if err := session.Begin(); err != nil {
		return err
	}
	var failed atomic.Bool
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			failed.Store(true)
		}
	}
	ctxInterval, cancel := context.WithTimeout(ctx, interval)
	defer cancel()
	for {
		fetches.EachRecord(func(record *kgo.Record) {
			record.Value = bytes.ToUpper(record.Value)
			session.Produce(ctx, record, promise)
		})
		if err := failure(ctx, fetches); err != nil {
			return err
		}
		if ctxInterval.Err() != nil {
			break
		}
		fetches = session.PollFetches(ctxInterval)
	}
	// The first SIGTERM must not cut a commit short.
	ending := context.WithoutCancel(ctx)
	if err := session.Client().Flush(ending); err != nil {
		return err
	}
	_, err := session.End(ending, kgo.TransactionEndTry(!failed.Load()))
	return err
}

func failure(ctx context.Context, fetches kgo.Fetches) error {
	for _, fetch := range fetches.Errors() {
		if fetch.Err != context.DeadlineExceeded && ctx.Err() == nil {
			return fetch.Err
		}
	}
	return nil
}
