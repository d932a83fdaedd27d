// go run order_paid.go ORDER NOTE
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

// False: there is such a job already.
func enqueue(ctx context.Context, tx *sql.Tx, jobType string, payload any, runAt time.Time, uniqueKey string) (bool, error) {
	text, err := json.Marshal(payload)
	if err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx,
		"INSERT INTO background_jobs (job_type, payload, run_at, unique_key) VALUES (?, ?, FROM_UNIXTIME(?), ?)",
		jobType, string(text), runAt.Unix(), uniqueKey)
	var refused *mysql.MySQLError
	if errors.As(err, &refused) && refused.Number == 1062 {
		return false, nil
	}
	return err == nil, err
}

func pay(ctx context.Context, db *sql.DB, order int64, note string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after the commit it does nothing
	now := time.Now().UTC()
	eight := time.Date(now.Year(), now.Month(), now.Day()+1, 8, 0, 0, 0, time.UTC)
	payload := map[string]any{"order": order, "note": note}
	isNew, err := enqueue(ctx, tx, "invoice.send", payload, eight, fmt.Sprintf("order %d", order))
	if err != nil {
		return err
	}
	if !isNew {
		fmt.Printf("order %d has its invoice already\n", order)
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO payments (order_id, note) VALUES (?, ?)", order, note); err != nil {
		return err
	}
	return tx.Commit()
}

func main() {
	server := mysql.NewConfig()
	server.Net, server.Addr = "tcp", os.Getenv("DB_HOST")+":"+os.Getenv("DB_PORT")
	server.User, server.Passwd, server.DBName = os.Getenv("DB_USER"), os.Getenv("DB_PASSWORD"), os.Getenv("DB_NAME")
	db, err := sql.Open("mysql", server.FormatDSN())
	if err != nil {
		log.Fatal(err)
	}
	order, err := strconv.ParseInt(os.Args[1], 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	if err := pay(context.Background(), db, order, os.Args[2]); err != nil {
		log.Fatal(err)
	}
}
