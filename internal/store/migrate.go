package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// The schema, one file per step, the same text for both engines. Steps only add (expand), or take
// away what no released version reads any more (contract).
//
//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the files of the schema: with the same ones, an empty store is the same.
func Migrations() fs.FS { return migrations }

func migrateSQLite(ctx context.Context, db *sql.DB, files fs.FS) error {
	return migrate(ctx, goose.DialectSQLite3, db, files)
}

func migratePostgres(ctx context.Context, pool *pgxpool.Pool, files fs.FS) error {
	db := stdlib.OpenDBFromPool(pool)
	defer func() { _ = db.Close() }()
	return migrate(ctx, goose.DialectPostgres, db, files)
}

func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, files fs.FS) error {
	dir, err := fs.Sub(files, "migrations")
	if err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	p, err := goose.NewProvider(dialect, db, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: migrate: %w", err)
	}
	return nil
}
