// The npm package with the server's programs: its version, its missing symlinks, and a copy that any user can run.
import {
  chmod,
  constants,
  copyFile,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
} from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { type DataPaths, readTextIfAny, syncDirectory, writeWhole } from './data-paths.ts'
import { assertRoom, codeOf } from './refusals.ts'

const COPY_BYTES = 64 * 1024 * 1024

/** The package's own version, such as `18.4.0-beta.17`. */
export async function packageVersion(directory: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as {
    version: string
  }
  return version
}

/**
 * Makes the symlinks that npm cannot pack and that an install script would make if it were let run.
 * Returns false when the directory is not ours to write in and some are missing.
 */
export async function hydrate(directory: string): Promise<boolean> {
  const list = await readFile(join(directory, 'native', 'pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(directory, target)
    if (await isThere(path)) continue
    try {
      await symlink(relative(dirname(target), source), path)
    } catch (error) {
      const code = codeOf(error)
      if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false
      // Two first starts at once make the same link.
      if (code !== 'EEXIST') throw error
    }
  }
  return true
}

/**
 * The package copied once to `pg-VERSION` in the data directory, where the server's user can read it; copies of
 * other versions go. Returns the copy's directory. Nothing may run from a copy while this is called.
 */
export async function copyPackage(directory: string, paths: DataPaths): Promise<string> {
  const version = await packageVersion(directory)
  const name = `pg-${version.split('.').slice(0, 2).join('.')}`
  const copy = join(paths.dataDir, name)
  if ((await readTextIfAny(join(copy, 'VERSION'))) !== version) {
    await assertRoom(paths.dataDir, COPY_BYTES)
    const stage = `${copy}.new-${process.pid}`
    await mkdir(stage)
    await chmod(stage, 0o755)
    await copyTree(join(directory, 'native'), join(stage, 'native'))
    await hydrate(stage)
    await writeWhole(join(stage, 'VERSION'), version, 0o644)
    await rm(copy, { recursive: true, force: true })
    await rename(stage, copy)
    await syncDirectory(paths.dataDir)
  }
  for (const other of await readdir(paths.dataDir))
    if (/^pg-\d+\.\d+$/.test(other) && other !== name)
      await rm(join(paths.dataDir, other), { recursive: true, force: true })
  return copy
}

/**
 * Copies only what running a server needs. File modes are set anew, because a strict umask may have closed
 * the originals.
 */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to)
  await chmod(to, 0o755)
  const files: Promise<void>[] = []
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (entry.name.endsWith('.a') || entry.name === 'pgxs' || entry.name === 'pkgconfig') continue
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) await copyTree(source, target)
    else if (entry.isFile()) files.push(copyRunnable(source, target))
    // Links are made by hydrate, whether or not the original has them.
  }
  await Promise.all(files)
}

async function copyRunnable(source: string, target: string): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_FICLONE)
  await chmod(target, 0o755)
  const file = await open(target, 'r+')
  try {
    // A power cut must not leave an empty library in a copy that is marked whole.
    await file.datasync()
  } finally {
    await file.close()
  }
}

const isThere = async (path: string): Promise<boolean> => {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}
