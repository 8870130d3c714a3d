# From the plan of a boot with faultvisor and its log: one row a fault, one column a kind of exit. A cell is ok when
# every strike of the fault was found, in the round that it struck, and named as the fault's table
# says; "-" where the fault does not apply, or where the plan did not ask for the exit. Variables: vcpus, table (a file
# for the table).

# The value of key in this line, without quotes.
function value(key,    from, rest) {
    from = index(" " $0, " " key "=")
    if (!from)
        return ""
    rest = substr($0, from + length(key) + 1)
    if (substr(rest, 1, 1) == "\"") {
        rest = substr(rest, 2)
        return substr(rest, 1, index(rest, "\"") - 1)
    }
    sub(/ .*/, "", rest)
    return rest
}

function finish(    ok) {
    if (fault == "")
        return
    ok = cells_bad == 0 && verdict == (fault == "none" ? "PASS" : "FAIL") && (fault == "none" || struck > 0)
    printf "%s %s %d %d %d %s\n", ok ? "ok" : "bad", fault, cells_ok, struck, verified, why
    rows[++row_count] = sprintf("%-16s%s", fault, row)
}

# A line of the plan: fault=NAME [on=EXITS] ... -- [exits=EXITS] ...; without exits= all take part.
FNR == NR {
    asked[value("fault")] = value("exits")
    next
}

function takes_part(name) {
    return asked[fault] == "" || index("," asked[fault] ",", "," name ",")
}

/^faultvisor ev=run / {
    finish()
    fault = value("fault")
    split("", named); split("", misnamed); split("", found)
    row = ""; header = ""; why = ""
    cells_ok = cells_bad = struck = verified = 0
    verdict = "none"
    expected["class"] = value("class"); expected["component"] = value("component")
    expected["registers"] = value("registers"); expected["bits"] = value("bits")
    expected["signature"] = value("signature")
}

/^zmmtest ts=.* ev=finding / {
    good = 1
    for (key in expected)
        if (value(key) != expected[key] && expected[key] != "any") {
            good = 0
            why = "(" value("exit") ": " key " is " value(key) ", not " expected[key] ")"
        }
    named[value("exit")] += good
    misnamed[value("exit")] += !good
}

/^zmmtest ts=.* ev=exit / { found[value("name")] = value("findings") }
/^zmmtest ts=.* ev=done / { verdict = value("verdict"); verified = value("exits") }

/^faultvisor ev=strikes / {
    name = value("exit"); strikes = value("strikes")
    applies = value("looked_at") == "yes" && takes_part(name) && fault != "none"
    good = found[name] + 0 == strikes && misnamed[name] + 0 == 0
    if (applies)
        good = good && strikes > 0 && named[name] > 0
    else
        good = good && strikes == 0
    cells_ok += good && (applies || fault == "none")
    cells_bad += !good
    if (!good && why == "")
        why = "(" name ": " strikes " strikes, " found[name] + 0 " findings)"
    struck += strikes
    row = row sprintf(" %9s", !good ? "WRONG" : (applies ? strikes : (fault == "none" ? "ok" : "-")))
    header = header sprintf(" %9s", name)
}

END {
    finish()
    printf "%-16s%s\n", vcpus (vcpus == 1 ? " vCPU" : " vCPUs"), header > table
    for (n = 1; n <= row_count; n++)
        print rows[n] > table
}
