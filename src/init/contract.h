// What the runtime and plz-init say to each other: files below an attempt's directory. They outlive
// both programs, and an older plz-init may meet a newer runtime: names and meanings are not changed,
// only added to. Constants only: the runtime includes this without linking plz-init.
#pragma once

namespace plz::init {

// Locked for writing with fcntl(2) by the outer half: one at a time, and F_GETLK tells its process id.
// Its content is "PID STATUS\n", padded with spaces to kLockFileBytes, rewritten in place so that it
// can be told on a full disk, too. STATUS is "ok", or why the log cannot grow just now.
inline constexpr char kLockFile[] = "init.lock";
inline constexpr int kLockFileBytes = 256;

// What to run: "key\0value\0" repeated, the first being kSpecMagic and its version, the last
// "end\0\0". Written by the runtime before it starts the outer half; never changed after.
inline constexpr char kSpecFile[] = "init.spec";
inline constexpr char kSpecMagic[] = "plz-init-spec";
inline constexpr char kSpecVersion[] = "1";

// Keys of the specification. Those marked * may be repeated, in order.
inline constexpr char kKeyMode[] = "mode";                // kModeBox, kModeProgram or kModeProcess
inline constexpr char kModeBox[] = "box";                 // plz-init makes the sandbox itself
inline constexpr char kModeProgram[] = "program";         // a program (bubblewrap) makes it
inline constexpr char kModeProcess[] = "process";         // none: a plain process
inline constexpr char kModeContainer[] = "container";     // plz-init is a container's first process
inline constexpr char kKeyLaunch[] = "launch";            // * argv that ends up as `plz-init inner`
inline constexpr char kKeyCommand[] = "command";          // * argv of the job
inline constexpr char kKeyEnvironment[] = "environment";  // * NAME=VALUE, all of the job's
inline constexpr char kKeyDirectory[] = "directory";      // the job's working directory, as it sees it
inline constexpr char kKeyCgroup[] = "cgroup";            // * a cgroup.procs file to enter
inline constexpr char kKeyCodeSource[] = "code_source";   // the code as captured
inline constexpr char kKeyCodeTarget[] = "code_target";   // where its writable copy is to be
inline constexpr char kKeyCodeUpper[] = "code_upper";     // with kKeyCodeWork, in a box: make it an
inline constexpr char kKeyCodeWork[] = "code_work";       // overlay, and copy only where that fails

// What the job has as a process; absent: what plz-init has, and a umask of 022.
inline constexpr char kKeyLimit[] = "limit";              // * NAME SOFT HARD: "nofile 1024 unlimited", of RLIMIT_NOFILE
inline constexpr char kKeyAffinity[] = "affinity";        // processors: "0-3,8"
inline constexpr char kKeyNiceness[] = "niceness";        // -20 to 19
inline constexpr char kKeyUmask[] = "umask";              // octal: "022"
inline constexpr char kKeyScheduling[] = "scheduling";    // "other", "batch" or "idle"
inline constexpr char kKeyIoPriority[] = "io_priority";   // a number as ioprio_set(2) takes it
inline constexpr char kKeyOomScore[] = "oom_score";       // at least so much of oom_score_adj
inline constexpr char kKeyPersonality[] = "personality";  // a number as personality(2) takes it
inline constexpr char kKeyEnd[] = "end";

// In a container only. Its environment, kKeyEnvironment aside, is what the engine gave plz-init.
inline constexpr char kKeyUser[] = "user";               // NAME or UID, with :GROUP or :GID; absent: who it is
inline constexpr char kKeyGroup[] = "group";             // * a further group, by name or number
inline constexpr char kKeyHome[] = "home";               // "set": HOME is that of the user in /etc/passwd
inline constexpr char kKeyStopSignal[] = "stop_signal";  // a number: in place of SIGTERM
inline constexpr char kKeyGiveBack[] = "give_back";      // * a tree that becomes that of the owner of the
                                                         // attempt's directory in the end
// What a box looks like: steps, in order, each the path in the box that it makes. Where a step needs
// one, kKeyBoxSource comes before it.
inline constexpr char kKeyBoxRoot[] = "box_root";         // an empty directory, where the root is mounted
inline constexpr char kKeyBoxNetwork[] = "box_network";   // "none": no network but a loopback
inline constexpr char kKeyBoxSource[] = "box_source";     // * of the next step
inline constexpr char kKeyBoxLink[] = "box_link";         // * a symbolic link with the source as its text
inline constexpr char kKeyBoxRead[] = "box_read";         // * the source, read-only, with what is mounted in it
inline constexpr char kKeyBoxReadTry[] = "box_read_try";  // * the same, left out where there is no source
inline constexpr char kKeyBoxWrite[] = "box_write";       // * the source, writable
inline constexpr char kKeyBoxDevice[] = "box_device";     // * the source, with its device files usable
inline constexpr char kKeyBoxHide[] = "box_hide";         // * an empty directory that stays empty
inline constexpr char kKeyBoxProc[] = "box_proc";         // * the processes of the box
inline constexpr char kKeyBoxDevices[] = "box_devices";   // * a new /dev: null, random, terminals, shm

// The job's stdout and stderr, and where they go.
inline constexpr char kLogPipe[] = "log.pipe";
inline constexpr char kLogFile[] = "log";
// A byte written here makes the inner half look at kStopFile, which holds a grace in milliseconds.
inline constexpr char kControlPipe[] = "init.control";
inline constexpr char kStopFile[] = "init.stop";
// What plz-init and the sandbox program had to say, for people.
inline constexpr char kErrorFile[] = "init.err";
// In a line there that is no error: the code was copied, and all went on.
inline constexpr char kNoOverlayNote[] = "no overlay here, the code is copied";
// Exists once the sandbox program is about to be executed: the attempt must not be launched again.
inline constexpr char kLaunchMarker[] = "init.launch";

// Records: lines "key value\n", the first kStartMagic or kExitMagic or kEndMagic with a version, the
// last "end\n". A record without its last line was not finished and counts as absent.
inline constexpr char kStartFile[] = "init.start";  // by the inner half: the command runs
inline constexpr char kExitFile[] = "init.exit";    // by the inner half: how it ended
inline constexpr char kEndFile[] = "init.end";      // by the outer half: the log is complete
inline constexpr char kStartMagic[] = "plz-init-start";
inline constexpr char kExitMagic[] = "plz-init-exit";
inline constexpr char kEndMagic[] = "plz-init-end";
inline constexpr char kRecordVersion[] = "1";

// Keys of records.
inline constexpr char kKeyStartedRealtime[] = "started_realtime_us";
inline constexpr char kKeyStartedBoottime[] = "started_boottime_us";
inline constexpr char kKeyEndedRealtime[] = "ended_realtime_us";
inline constexpr char kKeyEndedBoottime[] = "ended_boottime_us";
inline constexpr char kKeyBootId[] = "boot_id";
inline constexpr char kKeyOutcome[] = "outcome";  // "exited", "signalled", "not_started"; "lost"
inline constexpr char kKeyStatus[] = "status";    // of "exited" and "not_started"
inline constexpr char kKeySignal[] = "signal";    // of "signalled"
inline constexpr char kKeyReason[] = "reason";    // of "not_started" and "lost": a sentence
inline constexpr char kKeyUserTime[] = "user_us";
inline constexpr char kKeySystemTime[] = "system_us";
inline constexpr char kKeyMaxRss[] = "max_rss_kib";
inline constexpr char kKeyOomKills[] = "oom_kills";               // of the kernel, while the command ran
inline constexpr char kKeyCgroupOomKills[] = "cgroup_oom_kills";  // in a container, in its cgroup, where it sees that
inline constexpr char kKeyGivenBack[] = "given_back";             // in a container: "1", or "0": not all could be
inline constexpr char kKeyOutOfMemory[] = "out_of_memory";        // "1": by the engine's word
inline constexpr char kKeyNotGiven[] = "not_given";               // of the attributes, and what the job has instead
inline constexpr char kKeyLogBytes[] = "log_bytes";

// Descriptors that the inner half is started with.
inline constexpr int kLogFd = 3;        // the log pipe, for reading and writing: keeps it open
inline constexpr int kDirectoryFd = 4;  // the attempt's directory
inline constexpr int kControlFd = 5;    // the control pipe, for reading and writing
inline constexpr int kStdoutFd = 6;     // the log pipe, for writing: becomes the job's
inline constexpr int kProgramFd = 7;    // plz-init itself: executed through /proc/self/fd
inline constexpr char kProgramPath[] = "/proc/self/fd/7";

// The outer half writes this byte to its stdout, once, when it has the attempt in hand. Its stdin is
// /dev/null, for reading and writing; its stderr is kErrorFile.
inline constexpr char kInHand = 'k';

// Exit statuses of the outer half.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;  // kErrorFile says why
inline constexpr int kExitUsage = 2;
inline constexpr int kExitBusy = 3;  // another outer half holds the lock

}  // namespace plz::init
